// A client on node and `ws`.
"use strict";

const WebSocket = require("ws");
const { messageEvents, Tally, feedArguments, fail } = require("./client.js");

const { port, count, warmUp } = feedArguments();
const tally = new Tally("node_ws", count, warmUp);
const socket = new WebSocket(`ws://127.0.0.1:${port}/:/websockets/notifications?filters=activity`, {
  perMessageDeflate: false,
});
socket.on("message", (data) => {
  for (const event of messageEvents(data.toString())) tally.take(event);
});
socket.on("close", () => fail("the server closed the feed"));
socket.on("error", fail);
