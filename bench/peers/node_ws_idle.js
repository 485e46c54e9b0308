// Feeds that bring nothing, on node and `ws`: what each takes.
"use strict";

const fs = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");
const WebSocket = require("ws");
const { now, printLine, fail } = require("./client.js");

const [port, wanted, tls] = process.argv.slice(2);
const count = Number(wanted);
const atOnce = 64; // connections being opened, so that the server's backlog does not overflow
const seconds = 5; // until all is quiet, and those that are watched then

/** Resident memory of this process in KiB. */
function residentKib() {
  global.gc?.(); // of what opening left behind
  return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]);
}

function open() {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${tls ? "wss" : "ws"}://127.0.0.1:${port}/idle/:/websockets/notifications`, {
      perMessageDeflate: false,
      rejectUnauthorized: false,
    });
    socket.on("message", () => {});
    socket.on("open", () => resolve(socket));
    socket.on("error", reject);
  });
}

async function main() {
  const sockets = [await open()]; // warms up
  const kib = residentKib();
  const begin = now();
  let started = 0;
  async function openInTurn() {
    while (started < count) {
      ++started;
      sockets.push(await open());
    }
  }
  await Promise.all(Array.from({ length: atOnce }, openInTurn));
  const opened = now();
  await sleep(seconds * 1000);
  const grown = residentKib() - kib;
  const idle = now();
  await sleep(seconds * 1000);
  const end = now();
  printLine(tls ? "node_ws_idle_tls" : "node_ws_idle", count, begin, opened, {
    kib_per_feed: grown / count,
    open_seconds: (opened.wall - begin.wall) / 1e9,
    core_share: (end.cpu - idle.cpu) / (end.wall - idle.wall),
  });
  process.exit(sockets.length === count + 1 ? 0 : 1);
}

main().catch(fail);
