// A server that only tells what reached it, as node's HTTP parser and node's ws read it.
//
//     witness.js PORT
//
// `GET /seen` on a connection of its own gives, and forgets, a line for each request that came:
//     METHOD URL NAME:VALUE,NAME:VALUE,... BODY      each part in hex, "-" where it is empty
//     bad                                            something that is no HTTP
// Everything else is answered with 400. But a base path of /frames is a Plex server whose feed sends pings of random
// content and closes when all are answered; its lines:
//     frames PONGS-AS-THE-PINGS WRONG CLOSE-CODE
"use strict";

const crypto = require("crypto");
const http = require("http");
const { WebSocketServer } = require("ws");

const pings = 300;
let seen = [];

const hex = (text) => Buffer.from(text, "latin1").toString("hex") || "-";

function note(request, body) {
    const headers = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2)
        headers.push(hex(request.rawHeaders[i]) + ":" + hex(request.rawHeaders[i + 1]));
    seen.push([hex(request.method), hex(request.url), headers.join(",") || "-", body.toString("hex") || "-"].join(" "));
}

const server = http.createServer({ maxHeaderSize: 1 << 20 }, (request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
        if (request.url === "/seen") {
            response.end(seen.map((line) => line + "\n").join(""));
            seen = [];
        } else if (request.url === "/frames/activities") {
            response.end('{"MediaContainer":{"size":0}}');
        } else {
            note(request, Buffer.concat(parts));
            response.statusCode = 400;
            response.end("no");
        }
    });
});

// Also emitted where a client that was stopped resets its connection with a reply unread: that is no text of anybody's.
server.on("clientError", (error, socket) => {
    if (error.code.startsWith("HPE_")) seen.push("bad");
    socket.destroy();
});

const sockets = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) => {
    if (!request.url.startsWith("/frames/")) {
        note(request, Buffer.alloc(0));
        socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
        return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
        const sent = [];
        let good = 0;
        let wrong = 0;
        client.on("pong", (payload) => {
            if (good < sent.length && payload.equals(sent[good])) good += 1;
            else wrong += 1;
            if (good === sent.length) client.close(4000 + crypto.randomInt(1000), crypto.randomBytes(20).toString("hex"));
        });
        client.on("ping", () => {}); // of the client's own; ws answers it
        client.on("message", () => (wrong += 1));
        client.on("error", () => (wrong += 1));
        client.on("close", (code) => seen.push(`frames ${good} ${wrong} ${code}`));
        for (let i = 0; i < pings; i += 1) {
            sent.push(crypto.randomBytes(crypto.randomInt(126)));
            client.ping(sent[i]);
        }
    });
});

server.listen(Number(process.argv[2]), "127.0.0.1");
