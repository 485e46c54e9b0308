#!/usr/bin/env node
// Reads event streams with npm's eventsource, which shares no code with this project.
//
//     event_stream_reader.js FILE     a JSON array of streams, each an array of pieces in hexadecimal digits
//
// Prints for each stream a line: [[type, data, last event id], ...]. They come from a server of its own on 127.0.0.1.
"use strict";

const fs = require("fs");
const http = require("http");
const EventSource = require("eventsource");

const names = ["message", "activity", "ping", "other"];
const streams = JSON.parse(fs.readFileSync(process.argv[2]));

const server = http.createServer((request, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const piece of streams[Number(request.url.slice(1))]) response.write(Buffer.from(piece, "hex"));
    response.end();
});

const read = (url) =>
    new Promise((done) => {
        const seen = [];
        const source = new EventSource(url);
        for (const name of names)
            source.addEventListener(name, (event) => seen.push([event.type, event.data, event.lastEventId]));
        source.onerror = () => { // the stream has ended
            source.close();
            done(seen);
        };
    });

setTimeout(() => {
    console.error("it takes too long");
    process.exit(1);
}, 120000).unref();

server.listen(0, "127.0.0.1", async () => {
    for (const number of streams.keys())
        console.log(JSON.stringify(await read(`http://127.0.0.1:${server.address().port}/${number}`)));
    process.exit(0);
});
