#!/usr/bin/env node
// Reads URLs as the WHATWG's standard has it, by node's own URL, which shares no code with this project.
//
//     url_reader.js FILE     a JSON array of [URL, request], both in hexadecimal digits
//
// Prints for each URL a line: null where it is refused, else
// [scheme, host, port, path, user, password, kind of address: 0, 4 or 6], user and password decoded, in hexadecimal digits.
"use strict";

const fs = require("fs");
const net = require("net");

const defaults = { "http:": 80, "https:": 443 };
const decoded = (text) =>
    text.replace(/%([0-9a-f]{2})|[^]/gi, (all, hex) => hex || Buffer.from(all).toString("hex")).toLowerCase();

for (const [hex] of JSON.parse(fs.readFileSync(process.argv[2]))) {
    let url = null;
    try {
        url = new URL(Buffer.from(hex, "hex").toString());
    } catch {
        console.log("null");
        continue;
    }
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const port = url.port === "" ? defaults[url.protocol] || 0 : Number(url.port);
    console.log(JSON.stringify([url.protocol.slice(0, -1), host, port, url.pathname, decoded(url.username),
        decoded(url.password), net.isIP(host)]));
}
