// A client on bun's own WebSocket.
"use strict";

const { messageEvents, Tally, feedArguments, fail } = require("./client.js");

const { port, count, warmUp } = feedArguments();
const tally = new Tally("bun", count, warmUp);
const socket = new WebSocket(`ws://127.0.0.1:${port}/:/websockets/notifications?filters=activity`);
socket.addEventListener("message", ({ data }) => {
  for (const event of messageEvents(data)) tally.take(event);
});
socket.addEventListener("close", () => fail("the server closed the feed"));
socket.addEventListener("error", (event) => fail(event.message));
