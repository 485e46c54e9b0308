// A client of the event stream on node and npm's `eventsource`.
"use strict";

const { EventSource } = require("eventsource");
const { streamEvent, Tally, feedArguments, fail } = require("./client.js");

const { port, count, warmUp } = feedArguments();
const tally = new Tally("npm_eventsource", count, warmUp);
const source = new EventSource(`http://127.0.0.1:${port}/:/eventsource/notifications?filters=activity`);
source.addEventListener("activity", ({ data }) => tally.take(streamEvent(data)));
source.addEventListener("error", (event) => fail(event.message));
