// What the peers in JavaScript share: typed values out of a message, and the line that run.sh reads.
"use strict";

const fs = require("node:fs");

/** One event as a client hands it to its user. */
class ActivityEvent {
  constructor({ event, uuid, Activity }) {
    this.event = String(event);
    this.uuid = String(uuid);
    this.type = String(Activity.type);
    this.title = String(Activity.title);
    this.subtitle = String(Activity.subtitle);
    this.progress = Number(Activity.progress);
    this.cancellable = Boolean(Activity.cancellable);
    this.userId = Number(Activity.userID);
    this.context = Activity.Context ?? null;
  }
}

/** The events of a message of the WebSocket (docs/protocol.md 2.1). */
function messageEvents(text) {
  const container = JSON.parse(text).NotificationContainer;
  return (container.ActivityNotification ?? []).map((each) => new ActivityEvent(each));
}

/** The event that the event stream brought (docs/protocol.md 2.5). */
function streamEvent(text) {
  return new ActivityEvent(JSON.parse(text).ActivityNotification);
}

/** Counts a warm-up, then as many events as are wanted; prints the line and ends the process. */
class Tally {
  constructor(program, wanted, warmUp) {
    this.program = program;
    this.wanted = wanted;
    this.left = warmUp;
    this.begin = null;
    this.progress = 0; // so that what was decoded is used
  }

  take(event) {
    this.progress += event.progress;
    if (--this.left === 0) this.turn();
  }

  turn() {
    if (this.begin !== null) {
      printLine(this.program, this.wanted, this.begin, now());
      process.exit(this.progress > 0 ? 0 : 1);
    }
    this.begin = now();
    this.left = this.wanted;
  }
}

/** CPU time of this process and time since some start, in nanoseconds. */
function now() {
  const { user, system } = process.cpuUsage();
  return { cpu: (user + system) * 1e3, wall: Number(process.hrtime.bigint()) };
}

function printLine(program, count, begin, end, more = {}) {
  const line = {
    program,
    count,
    per_second: (count * 1e9) / (end.wall - begin.wall),
    ns_each: (end.cpu - begin.cpu) / count,
    ...more,
  };
  fs.writeSync(1, JSON.stringify(line) + "\n");
}

function feedArguments() {
  const [port, count, warmUp] = process.argv.slice(2).map(Number);
  if (!(port > 0 && count > 0 && warmUp > 0)) {
    console.error(`usage: ${process.argv[1]} PORT COUNT WARM_UP`);
    process.exit(2);
  }
  return { port, count, warmUp };
}

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

module.exports = { messageEvents, streamEvent, Tally, now, printLine, feedArguments, fail };
