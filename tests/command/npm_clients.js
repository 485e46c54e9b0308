// Clients from npm, as their authors published them, against a Plex server:
//
//     npm_clients.js URL TOKEN SCENARIO
//
// Fails by an assertion; says what it saw otherwise. The packages are found by NODE_PATH.
"use strict";

const assert = require("assert");
const { HTTPClient, PlexAPI } = require("@lukehagar/plexjs");
const { EventSource } = require("eventsource");
const WebSocket = require("ws");

const [url, token, scenario] = process.argv.slice(2);
const headers = { "X-Plex-Token": token, "X-Plex-Client-Identifier": "npm-clients" };
const plex = (withToken) => new PlexAPI({ serverURL: url, token: withToken });

// What a feed has said, and who waits for more of it.
class Heard {
    constructor() {
        this.events = [];
        this.pings = 0;
        this.waiting = [];
    }
    // Of a WebSocket's container an array, of the event stream an object.
    add(notification) {
        const list = notification.ActivityNotification;
        this.events.push(...(Array.isArray(list) ? list : [list]));
        this.wake();
    }
    wake() {
        this.waiting.splice(0).forEach((go) => go());
    }
    async until(holds) {
        while (!holds(this)) await new Promise((go) => this.waiting.push(go));
    }
    of(uuid) {
        return this.events.filter((event) => event.uuid === uuid);
    }
}

async function overWebSocket() {
    const socket = new WebSocket(url.replace("http", "ws") + "/:/websockets/notifications?filters=activity", { headers });
    const heard = new Heard();
    socket.on("message", (data, binary) => {
        assert.strictEqual(binary, false);
        const container = JSON.parse(data.toString()).NotificationContainer;
        assert.strictEqual(container.type, "activity");
        assert.strictEqual(container.size, container.ActivityNotification.length);
        heard.add(container);
    });
    await new Promise((open, failed) => socket.on("open", open).on("error", failed));
    return { heard, socket, close: () => socket.terminate() };
}

async function overEventSource() {
    const fetchWithToken = (where, options) => fetch(where, { ...options, headers: { ...options.headers, ...headers } });
    const source = new EventSource(url + "/:/eventsource/notifications?filters=activity", { fetch: fetchWithToken });
    const heard = new Heard();
    source.addEventListener("activity", (event) => heard.add(JSON.parse(event.data)));
    source.addEventListener("ping", (event) => {
        assert.deepStrictEqual(JSON.parse(event.data), {});
        heard.pings += 1;
        heard.wake();
    });
    await new Promise((open, failed) => {
        source.onopen = open;
        source.onerror = (event) => failed(new Error(`${event.code} ${event.message}`));
    });
    return { heard, source, close: () => source.close() };
}

// plexjs with the fetch of its user, here one that says of the event stream what Plex's specification says of it.
// Left to itself plexjs waits for the end of a stream that is called otherwise.
const plexThatStreams = () => {
    const asSpecified = async (...request) => {
        const answer = await fetch(...request);
        assert.strictEqual(answer.headers.get("content-type"), "text/event-stream");
        return new Response(answer.body, { status: answer.status, headers: { "Content-Type": "application/octet-stream" } });
    };
    return new PlexAPI({ serverURL: url, token, httpClient: new HTTPClient({ fetcher: asSpecified }) });
};

// The status of a reply, be it good or not.
async function statusOf(call) {
    try {
        return (await call).statusCode;
    } catch (error) {
        assert.ok(error.statusCode, error);
        return error.statusCode;
    }
}

const cancel = (uuid) => statusOf(plex(token).activities.cancelActivity({ activityId: uuid }));

// Activities come and go: the list is asked for until it has such a one.
async function listed(wanted) {
    for (;;) {
        const { object } = await plex(token).activities.listActivities();
        const found = (object.mediaContainer.activity || []).find(wanted);
        if (found) return found;
    }
}

// One that ends before it is cancelled gives way to the next.
async function cancelOne(wanted) {
    for (;;) {
        const found = await listed(wanted);
        const status = await cancel(found.uuid);
        if (status !== 404) return { ...found, status };
    }
}

const scenarios = {
    async list() {
        const { statusCode, contentType, object } = await plex(token).activities.listActivities();
        assert.strictEqual(statusCode, 200);
        assert.match(contentType, /^application\/json/);
        assert.ok(Array.isArray(object.mediaContainer.activity));
        const scan = await listed((activity) => activity.type === "library.update.section");
        assert.match(scan.uuid, /^[0-9a-f-]{36}$/);
        assert.match(scan.title, /^Scanning/);
        assert.strictEqual(scan.cancellable, false);
        assert.strictEqual(scan.userID, 1);
        assert.ok(scan.progress >= 0 && scan.progress <= 100);
        console.log(scan.type);
    },

    async cancel() {
        const feeds = [await overWebSocket(), await overEventSource()];
        const { uuid, title, status } = await cancelOne((activity) => activity.cancellable);
        assert.strictEqual(status, 200);
        for (const { heard } of feeds) await heard.until((it) => it.of(uuid).some((event) => event.event === "ended"));
        feeds.forEach((feed) => feed.close());
        console.log(`${title} has ended`);
    },

    async watch() {
        const feeds = [await overWebSocket(), await overEventSource()];
        const kindsOf = (heard, uuid) => heard.of(uuid).map((event) => event.event);
        const scans = ({ events }) =>
            events.filter((event) => event.event === "started" && event.Activity.type === "library.update.section");
        // The one that was opened last: what starts for it starts for both.
        await feeds[1].heard.until((it) => scans(it).length > 0);
        const { uuid } = scans(feeds[1].heard)[0];
        for (const { heard } of feeds) await heard.until((it) => kindsOf(it, uuid).includes("ended"));
        feeds.forEach((feed) => feed.close());
        const kinds = kindsOf(feeds[0].heard, uuid);
        assert.strictEqual(kinds.length, 1556);
        assert.strictEqual(kinds[0], "started");
        assert.strictEqual(kinds[kinds.length - 1], "ended");
        assert.ok(kinds.slice(1, -1).every((kind) => kind === "updated"));
        assert.deepStrictEqual(feeds[1].heard.of(uuid), feeds[0].heard.of(uuid));
        console.log(`${kinds.length} events over each`);
    },

    async plexjs_watch() {
        const { responseStream } = await plexThatStreams().events.getNotifications({});
        const reader = responseStream.getReader();
        let text = "";
        const said = /event: activity\ndata: (.*"event":"started".*)\n\n/;
        for (let part; !said.test(text) && !(part = await reader.read()).done; ) text += Buffer.from(part.value).toString();
        const { ActivityNotification } = JSON.parse(text.match(said)[1]);
        assert.strictEqual(ActivityNotification.Activity.uuid, ActivityNotification.uuid);
        console.log(ActivityNotification.event);
    },

    async errors() {
        const { activities } = plex("another");
        assert.strictEqual(await statusOf(activities.listActivities()), 401);
        assert.strictEqual(await cancel("no-such-uuid"), 404);
        assert.strictEqual((await cancelOne((activity) => !activity.cancellable)).status, 400);
        headers["X-Plex-Token"] = "another";
        await assert.rejects(overWebSocket(), /401/);
        await assert.rejects(overEventSource(), /401/);
        console.log("401 404 400 401 401");
    },

    async liveness() {
        const { heard, source } = await overEventSource();
        await heard.until((it) => it.pings > 0);
        source.close();
        const { socket } = await overWebSocket();
        const pong = new Promise((got) => socket.on("pong", got));
        socket.ping("are you there?");
        assert.strictEqual((await pong).toString(), "are you there?");
        const closed = new Promise((done) => socket.on("close", done));
        socket.close(1000);
        assert.strictEqual(await closed, 1000);
        console.log("ping, pong, close");
    },
};

scenarios[scenario]().then(
    () => process.exit(0),
    (error) => {
        console.error(error);
        process.exit(1);
    },
);
