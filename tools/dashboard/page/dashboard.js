// What the server tells over its event stream, onto the page. Each message is a JSON object:
//   now        the server's clock, in milliseconds as all times
//   anew       forget all that was told before; with it `servers` (their numbers, in order) and `can_cancel`
//   changes    in order, each a server, an activity that runs, or the end of one
// All text goes onto the page as text: titles are whatever files are called.
'use strict';

const keepsEnds = 3600000;
const mostEnds = 1000;
const cancelTakes = 10000;    // until one may ask again
const states = {
  idle: 'not connected', connecting: 'connecting…', connected: 'connected, asking what runs…', reconciled: 'live',
  interrupted: 'interrupted', ended: 'refused',
};
const transports = {websocket: '', eventsource: ' over EventSource', polling: ', asked every few seconds'};

const byId = (id) => document.getElementById(id);
const servers = new Map();    // number -> {node, list, name, state, rows, …}
let clock = 0;                // how far the server's is ahead of ours
let canCancel = false;
let token = sessionStorage.getItem('cancel-token') || '';

function fresh(template) {
  return byId(template).content.firstElementChild.cloneNode(true);
}
// Only what differs: the browser has less to lay out, and whoever selects text keeps it selected.
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
function now() {
  return Date.now() + clock;
}
function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (n) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
// "over" where the start was not seen: it has run at least so long.
function runTime(thing, end) {
  return (thing.start_seen ? '' : '> ') + duration(end - thing.since);
}

// --- servers ---

function server(number) {
  let s = servers.get(number);
  if (!s) {
    const node = fresh('server');
    s = {number, node, list: node.querySelector('.running'), rows: new Map(), told: null};
    servers.set(number, s);
    byId('servers').append(node);
  }
  return s;
}
function showServer(told) {
  const s = server(told.server);
  s.told = told;
  s.node.dataset.state = told.state;
  write(s.node.querySelector('.name'), told.name);
  write(s.node.querySelector('.why'), told.why);
  showState(s);
}
function showState(s) {
  if (!s.told) return;
  let text = states[s.told.state] || s.told.state;
  if (s.told.state === 'reconciled') text += transports[s.told.transport] || '';
  if (s.told.next_try !== undefined) {
    const left = Math.ceil((s.told.next_try - now()) / 1000);
    text += left > 0 ? `, next try in ${left} s` : ', trying again…';
  }
  write(s.node.querySelector('.state'), text);
}
function showWhetherEmpty(s) {
  s.node.querySelector('.nothing').hidden = s.rows.size !== 0;
}

// --- what runs ---

function showRunning(told) {
  const s = server(told.server);
  let row = s.rows.get(told.uuid);
  if (!row) {
    row = {node: fresh('running'), told};
    for (const name of ['title', 'subtitle', 'percent', 'time', 'cancel', 'failed'])
      row[name] = row.node.querySelector('.' + name);
    row.bar = row.node.querySelector('progress');
    row.cancel.addEventListener('click', () => ask(s, row));
    s.rows.set(told.uuid, row);
    // The oldest first, wherever it stands in the message.
    let before = s.list.lastElementChild;
    while (before && before.since > told.since) before = before.previousElementSibling;
    row.node.since = told.since;
    if (before) before.after(row.node);
    else s.list.prepend(row.node);
    showWhetherEmpty(s);
  }
  row.told = told;
  write(row.title, told.title || told.type);
  write(row.subtitle, told.subtitle);
  if (told.progress === undefined) row.bar.removeAttribute('value');
  else row.bar.value = told.progress;
  row.bar.setAttribute('aria-label', told.title || told.type);
  write(row.percent, told.progress === undefined ? '' : `${told.progress} %`);
  row.cancel.setAttribute('aria-label', `Cancel ${told.title || told.type}`);
  row.cancel.hidden = !(canCancel && told.cancellable);
  showTime(row);
}
function showTime(row) {
  write(row.time, runTime(row.told, now()));
}
function removeRow(s, uuid) {
  const row = s.rows.get(uuid);
  if (!row) return;
  // Whoever goes through the page by keyboard goes on where they were.
  const next = row.node.contains(document.activeElement) ? neighbour(row.node) : null;
  row.node.remove();
  s.rows.delete(uuid);
  if (asking && asking.row === row) closeDialog();
  if (next) next.focus();
  showWhetherEmpty(s);
}
// The button of the nearest row that has one.
function neighbour(node) {
  for (const way of ['nextElementSibling', 'previousElementSibling'])
    for (let other = node[way]; other; other = other[way])
      if (!other.querySelector('.cancel').hidden) return other.querySelector('.cancel');
  return null;
}

// --- what has ended ---

function showEnd(told) {
  const s = servers.get(told.server);
  if (s) removeRow(s, told.uuid);
  const node = fresh('end');
  const at = new Date(told.at);
  node.ended = told.at;
  write(node.querySelector('.at'), at.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'}));
  node.querySelector('.at').dateTime = at.toISOString();
  write(node.querySelector('.title'), told.title || told.type);
  const where = s && servers.size === 1 ? '' : told.name;
  write(node.querySelector('.subtitle'), [told.subtitle, where].filter(Boolean).join(' · '));
  write(node.querySelector('.how'), (told.inferred ? 'gone after ' : 'ended after ') + runTime(told, told.at));
  byId('ended').prepend(node);
  if (byId('ended').childElementCount > mostEnds) byId('ended').lastElementChild.remove();
  showWhetherNoneEnded();
}
function forgetOldEnds() {
  const list = byId('ended');
  while (list.lastElementChild && list.lastElementChild.ended < now() - keepsEnds) list.lastElementChild.remove();
  showWhetherNoneEnded();
}
function showWhetherNoneEnded() {
  byId('nothing-ended').hidden = byId('ended').childElementCount !== 0;
}

// --- cancelling ---

let asking = null; // {server, row} while the dialog is open

function ask(s, row) {
  if (token) {
    cancel(s, row);
    return;
  }
  openDialog(s, row, '');
}
function openDialog(s, row, failed) {
  asking = {server: s, row};
  write(byId('asking-what'), [row.told.title || row.told.type, row.told.subtitle].filter(Boolean).join(' · '));
  write(byId('asking-failed'), failed);
  byId('token').value = '';
  if (!byId('asking').open) byId('asking').showModal();
  byId('token').focus();
}
function closeDialog() {
  asking = null;
  byId('asking').close();
}
async function cancel(s, row) {
  if (row.cancel.ariaDisabled === 'true') return;
  write(row.failed, '');
  row.cancel.ariaDisabled = 'true'; // a button that is disabled loses the focus
  write(row.cancel, 'Cancelling…');
  const failed = await post(s, row);
  const again = () => {
    row.cancel.ariaDisabled = null;
    write(row.cancel, 'Cancel');
  };
  if (!failed) { // its end comes over the stream
    setTimeout(again, cancelTakes);
    return;
  }
  again();
  if (failed.wrongToken) {
    token = '';
    sessionStorage.removeItem('cancel-token');
    if (row.node.isConnected) openDialog(s, row, 'That is not the cancel token.');
  } else {
    write(row.failed, failed.why);
  }
}
async function post(s, row) {
  try {
    const reply = await fetch('cancel', {
      method: 'POST', headers: {'Authorization': `Bearer ${token}`, 'Content-Type': 'application/json'},
      body: JSON.stringify({server: s.number, uuid: row.told.uuid}),
    });
    if (reply.ok) return null;
    if (reply.status === 401) return {wrongToken: true};
    return {why: (await reply.json()).error};
  } catch (error) {
    return {why: 'The dashboard could not be reached.'};
  }
}
function listenToDialog() {
  byId('asking').addEventListener('close', () => { asking = null; });
  byId('asking-no').addEventListener('click', closeDialog);
  byId('asking').querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault();
    const {server: s, row} = asking;
    // A header takes no other characters; nor has a token any.
    token = byId('token').value.replace(/[^\x21-\x7e]/g, '');
    sessionStorage.setItem('cancel-token', token);
    closeDialog();
    cancel(s, row);
  });
}

// --- the stream ---

let stream = null;

function beginAnew(told) {
  canCancel = told.can_cancel;
  for (const [number, s] of servers) {
    if (told.servers.includes(number)) continue;
    s.node.remove();
    servers.delete(number);
  }
  for (const number of told.servers) byId('servers').append(server(number).node);
  byId('ended').replaceChildren();
}
function take(told) {
  clock = told.now - Date.now();
  // What is told anew stays where it is on the page, and with it the focus; what is not has ended meanwhile.
  const before = told.anew ? [...servers.values()].flatMap((s) => [...s.rows.keys()].map((uuid) => [s, uuid])) : [];
  if (told.anew) beginAnew(told);
  for (const change of told.changes) {
    if (change.is === 'server') showServer(change);
    else if (change.is === 'running') showRunning(change);
    else showEnd(change);
  }
  if (before.length) dropUnlessTold(before, told);
  summarise();
}
function dropUnlessTold(before, told) {
  const running = new Set(told.changes.filter((c) => c.is === 'running').map((c) => `${c.server}/${c.uuid}`));
  for (const [s, uuid] of before)
    if (!running.has(`${s.number}/${uuid}`)) removeRow(s, uuid);
}
function summarise() {
  let running = 0;
  let live = 0;
  for (const s of servers.values()) {
    running += s.rows.size;
    if (s.told && s.told.state === 'reconciled') ++live;
    showWhetherEmpty(s);
  }
  const serversLive = live === servers.size ? '' : ` · ${live} of ${servers.size} servers live`;
  write(byId('summary'), (running === 1 ? '1 activity' : `${running} activities`) + serversLive);
  document.title = running ? `(${running}) Plex activities` : 'Plex activities';
}
function listen() {
  if (stream) stream.close();
  stream = new EventSource('events');
  stream.onmessage = (message) => take(JSON.parse(message.data));
  stream.onerror = () => {
    write(byId('summary'), 'The dashboard cannot be reached; trying again…');
    // It tries again by itself unless it was refused, as when too many listen.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listenIfSeen, 5000);
  };
}
function listenIfSeen() {
  if (document.visibilityState === 'visible') {
    if (!stream || stream.readyState === EventSource.CLOSED) listen();
  } else if (stream) {
    stream.close(); // nobody looks; and a browser has few connections to a server
  }
}

document.addEventListener('visibilitychange', listenIfSeen);
listenToDialog();
listenIfSeen();
setInterval(() => {
  for (const s of servers.values()) {
    showState(s);
    for (const row of s.rows.values()) showTime(row);
  }
  forgetOldEnds();
}, 1000);
