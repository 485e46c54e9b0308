#!/usr/bin/env node
// A Plex server on node's ws: like foreign_server.py it shares no code with this project, nor with that one.
//
//     foreign_server.js --token T --port P --running UUID=PROGRESS...     prints its URL
//
// Whoever listens hears `updated` of its first activity, time and again.
"use strict";

const http = require("http");
const { WebSocketServer } = require("ws");

const options = { "--token": [""], "--port": ["0"], "--running": [] };
let values;
for (const word of process.argv.slice(2)) {
    if (word in options) values = options[word] = [];
    else values.push(word);
}
const token = options["--token"][0];
const activities = options["--running"].map((each) => {
    const [uuid, progress] = each.split("=");
    return { uuid, type: "media.download", cancellable: true, userID: 1, title: "Converting", subtitle: "",
        progress: Number(progress) };
});

const admitted = (request) =>
    request.headers["x-plex-token"] === token && request.headers["x-plex-client-identifier"] !== undefined;

const server = http.createServer((request, response) => {
    const status = !admitted(request) ? 401 : request.url === "/activities" ? 200 : 404;
    response.writeHead(status, { "Content-Type": status === 200 ? "application/json" : "text/html" });
    const list = { MediaContainer: { size: activities.length, Activity: activities } };
    response.end(status === 200 ? JSON.stringify(list) : "<h1>no</h1>");
});

const listeners = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) => {
    if (admitted(request) && request.url === "/:/websockets/notifications?filters=activity")
        listeners.handleUpgrade(request, socket, head, () => {});
    else
        socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
});

let step = 0;
setInterval(() => {
    const [first] = activities;
    const entry = { event: "updated", uuid: first.uuid, Activity: { ...first, subtitle: `Part ${++step}` } };
    const container = { type: "activity", size: 1, ActivityNotification: [entry] };
    const text = JSON.stringify({ NotificationContainer: container });
    listeners.clients.forEach((listener) => listener.send(text));
}, 100);

server.listen(Number(options["--port"][0]), "127.0.0.1", () => {
    console.log(`http://127.0.0.1:${server.address().port}`);
});
