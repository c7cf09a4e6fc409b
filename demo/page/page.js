// The demo's page: plays a programme through the edge, shows who sent each
// segment over which protocol, and has the buttons for drain and outage.
'use strict';

const setup = JSON.parse(document.getElementById('setup').textContent);
const token = document.querySelector('meta[name=manifold-token]').content;
const $ = (id) => document.getElementById(id);
const video = $('video');
let player = null;
let current = null; // the CDN of the newest segment

function note(text) {
  const li = document.createElement('li');
  const t = document.createElement('time');
  t.textContent = new Date().toLocaleTimeString([], { hour12: false });
  li.append(t, text);
  $('log').prepend(li);
  while ($('log').children.length > 60) $('log').lastChild.remove();
}

function problem(text) {
  $('problem').hidden = !text;
  $('problem').textContent = text || '';
}

async function change(method, path, body) {
  const res = await fetch(path, {
    method,
    headers: { Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!res.ok) problem((await res.json()).error);
  await refresh();
}

// Who a URL belongs to, by its port: each CDN has its own.
function cdnOf(url) {
  const port = Number(new URL(url, location.href).port);
  return setup.cdns.find((c) => c.port === port || c.plainPort === port);
}

const protocolNames = { 'http/1.1': 'h1', h2: 'h2', h3: 'h3' };

new PerformanceObserver((list) => {
  for (const e of list.getEntries()) {
    const cdn = cdnOf(e.name);
    if (cdn) {
      segment(cdn, e);
    } else if (/\.(m3u8|mpd)(\?|$)/.test(e.name) && e.nextHopProtocol) {
      $('fact-protocol').textContent = protocolNames[e.nextHopProtocol] || e.nextHopProtocol;
    }
  }
}).observe({ type: 'resource', buffered: false });
setInterval(() => performance.clearResourceTimings(), 30000);

function segment(cdn, entry) {
  if (entry.responseStatus && entry.responseStatus >= 400) return;
  if (!entry.responseEnd || (entry.transferSize === 0 && entry.duration === 0)) return;
  $('empty').hidden = true;
  const li = document.createElement('li');
  li.className = cdn.id;
  li.textContent = protocolNames[entry.nextHopProtocol] || '?';
  li.title = cdn.id + ' ' + new URL(entry.name).pathname.split('/').pop();
  $('segments').append(li);
  while ($('segments').children.length > 60) $('segments').firstChild.remove();
  if (current !== cdn.id) {
    note(current ? 'the picture moved from ' + current + ' to ' + cdn.id : 'the picture comes from ' + cdn.id);
    current = cdn.id;
  }
}

// Steering answers are read by the players themselves; the page looks at the
// same answers by listening in on fetch and XMLHttpRequest.
function steeringSeen(text) {
  try {
    const a = JSON.parse(text);
    if (!a['PATHWAY-PRIORITY']) return;
    $('fact-order').textContent = a['PATHWAY-PRIORITY'].join(' › ');
    $('fact-ttl').textContent = a.TTL + ' s';
  } catch { /* not a steering answer */ }
}
const open = XMLHttpRequest.prototype.open;
XMLHttpRequest.prototype.open = function (method, url, ...rest) {
  if (String(url).includes('/.manifold/steer/')) {
    this.addEventListener('load', () => {
      if (this.responseType === '' || this.responseType === 'text') steeringSeen(this.responseText);
      else if (this.responseType === 'json') steeringSeen(JSON.stringify(this.response));
      else if (this.responseType === 'arraybuffer') steeringSeen(new TextDecoder().decode(this.response));
    });
  }
  return open.call(this, method, url, ...rest);
};
const realFetch = window.fetch;
window.fetch = async function (input, init) {
  const res = await realFetch.call(this, input, init);
  const url = typeof input === 'string' ? input : input.url || String(input);
  if (url.includes('/.manifold/steer/')) res.clone().text().then(steeringSeen);
  return res;
};

function stop() {
  if (player) player.destroy();
  player = null;
  video.removeAttribute('src');
  video.load();
  $('segments').replaceChildren();
  $('empty').hidden = false;
  current = null;
  for (const f of ['fact-protocol', 'fact-order', 'fact-ttl', 'fact-buffer']) $(f).textContent = '–';
}

function start(programme, kind, transport) {
  stop();
  problem('');
  const edge = transport === 'tls' ? setup.edge : setup.plainEdge;
  const file = kind === 'hlsjs' ? 'master.m3u8' : 'manifest.mpd';
  const url = edge + '/' + programme + '/' + file + '?device=' + kind + '&token=' + setup.viewerToken;
  note('new session: ' + programme + ', ' + kind + ', ' + transport);
  if (kind === 'hlsjs') {
    player = new Hls({ maxBufferLength: 15, liveSyncDuration: 20, liveMaxLatencyDuration: 45 });
    player.on(Hls.Events.ERROR, (_, d) => { if (d.fatal) problem('hls.js: ' + d.details); });
    player.loadSource(url);
    player.attachMedia(video);
  } else {
    const p = dashjs.MediaPlayer().create();
    p.updateSettings({ streaming: { delay: { liveDelay: 20 }, buffer: { bufferTimeDefault: 15 } } });
    p.on(dashjs.MediaPlayer.events.ERROR, (e) => problem('dash.js: ' + (e.error && e.error.message || e.type)));
    p.initialize(video, url, true);
    player = p;
  }
  video.play().catch(() => {});
}

$('choice').addEventListener('submit', (e) => {
  e.preventDefault();
  const f = new FormData(e.target);
  start(f.get('programme'), f.get('player'), f.get('transport'));
});

setInterval(() => {
  if (!player) return;
  const b = video.buffered;
  const ahead = b.length ? b.end(b.length - 1) - video.currentTime : 0;
  $('fact-buffer').textContent = ahead.toFixed(1) + ' s';
}, 500);

function button(text, pressed, action) {
  const b = document.createElement('button');
  b.type = 'button';
  b.textContent = text;
  b.setAttribute('aria-pressed', String(pressed));
  b.addEventListener('click', action);
  return b;
}

let shown = '';
async function refresh() {
  const [pathways, cdns] = await Promise.all([
    realFetch('/api/v1/pathways').then((r) => r.json()),
    realFetch('/api/v1/demo/cdns').then((r) => r.json()),
  ]);
  const key = JSON.stringify([pathways, cdns.map((c) => ({ ...c, requests: 0 }))]);
  for (const c of cdns) {
    const n = document.querySelector('#n-' + c.id);
    if (n) n.textContent = c.requests;
  }
  if (key === shown) return;
  shown = key;
  const focus = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : '';
  $('cdns').replaceChildren(...cdns.map((c) => card(c, pathways.find((p) => p.id === c.id) || {})));
  if (focus) { const el = document.querySelector('[data-key="' + focus + '"]'); if (el) el.focus(); }
}

function card(c, p) {
  const el = document.createElement('article');
  el.className = 'cdn is-' + c.id;
  const h = document.createElement('h3');
  h.append(c.id);
  const s = document.createElement('span');
  s.className = 'state' + (c.refuse || c.status || p.health === 'down' ? ' bad' : '');
  s.textContent = c.refuse ? 'refuses connections' : c.status ? 'answers ' + c.status : p.drain ? 'drained' : p.health || '';
  h.append(s);
  const facts = document.createElement('p');
  const n = document.createElement('span');
  n.id = 'n-' + c.id;
  n.textContent = c.requests;
  facts.append('weight ' + p.weight + ' · token ' + c.token + ' · ', n, ' requests');
  const buttons = document.createElement('div');
  buttons.className = 'buttons';
  const path = '/api/v1/pathways/' + p.set + '/' + c.id + '/drain';
  const fault = (f) => () => { change('PUT', '/api/v1/demo/cdns/' + c.id, { refuse: c.refuse, status: c.status, latency: c.latency, ...f }); };
  buttons.append(
    button(p.drain ? 'Undo drain' : 'Drain', !!p.drain, () => {
      note((p.drain ? 'drain undone: ' : 'drained: ') + c.id);
      change(p.drain ? 'DELETE' : 'PUT', path, p.drain ? undefined : { who: 'demo page', why: 'pressed Drain' });
    }),
    button(c.refuse ? 'Bring back' : 'Take down', c.refuse, (e) => { note((c.refuse ? 'brought back: ' : 'taken down: ') + c.id); fault({ refuse: !c.refuse })(e); }),
    button(c.status ? 'No more 503' : 'Answer 503', !!c.status, fault({ status: c.status ? 0 : 503 })),
    button(c.latency === '0s' ? 'Slow by 300 ms' : 'Full speed', c.latency !== '0s', fault({ latency: c.latency === '0s' ? '300ms' : '0s' })),
  );
  for (const b of buttons.children) b.dataset.key = c.id + b.textContent;
  el.append(h, facts, buttons);
  return el;
}

refresh().catch(() => problem('the admin API does not answer: has the demo ended?'));
setInterval(() => refresh().catch(() => problem('the admin API does not answer: has the demo ended?')), 1000);
