// The demo's page: plays a programme through the edge and shows who sent each
// segment, over which protocol, and whether the picture ever stood still.
'use strict';

let player = null;
let starting = 0; // counts the sessions started
let feeding = ''; // the CDN of the newest video
let stall = { total: 0, begun: false, position: 0, since: 0 };

function byId(name) { return document.getElementById(name); }

function note(text, kind) {
  const li = document.createElement('li');
  if (kind) li.className = kind;
  const t = document.createElement('time');
  t.textContent = new Date().toLocaleTimeString('en-GB');
  li.append(t, text);
  byId('log').prepend(li);
  while (byId('log').children.length > 60) byId('log').lastChild.remove();
}

function problem(text) {
  byId('problem').hidden = !text;
  byId('problem').textContent = text || '';
}

// Requests, as the browser recorded them.
const protocolNames = { 'http/1.1': 'HTTP/1.1', h2: 'HTTP/2', h3: 'HTTP/3' };

// Whom a URL belongs to, by its port: each CDN has its own.
function cdnOf(url) {
  const port = Number(new URL(url, location.href).port);
  return setup.cdns.find((c) => c.port === port || c.plainPort === port);
}

new PerformanceObserver((list) => {
  for (const e of list.getEntries()) {
    if (!player || e.initiatorType !== 'xmlhttprequest' && e.initiatorType !== 'fetch') continue;
    const protocol = protocolNames[e.nextHopProtocol] || e.nextHopProtocol;
    const cdn = cdnOf(e.name);
    if (cdn) {
      if (rundown.add(cdn, e, protocol) && /\/v\d+\//.test(new URL(e.name).pathname)) from(cdn.id, protocol);
    } else if (/\.(m3u8|mpd)(\?|$)/.test(e.name) && protocol) {
      byId('fact-protocol').textContent = protocol;
    }
  }
}).observe({ type: 'resource', buffered: false });
setInterval(() => performance.clearResourceTimings(), 30000);

function from(id, protocol) {
  const fact = byId('fact-from');
  fact.textContent = id + ', ' + protocol;
  fact.className = 'chip ' + id;
  if (feeding === id) return;
  note(feeding ? 'the picture moves from ' + feeding + ' to ' + id : 'the picture comes from ' + id, id);
  feeding = id;
  cdns.feeds(id);
}

// Steering answers are read by the players themselves; the page listens in.
let askAgain = 0;
function steered(text) {
  let answer;
  try { answer = JSON.parse(text); } catch { return; }
  if (!answer['PATHWAY-PRIORITY']) return;
  byId('fact-order').replaceChildren(...answer['PATHWAY-PRIORITY'].map((id) => {
    const chip = document.createElement('span');
    chip.className = 'chip ' + id;
    chip.textContent = id;
    return chip;
  }));
  askAgain = performance.now() + answer.TTL * 1000;
}
const isSteering = (url) => String(url).includes('/.manifold/steer/');
const open = XMLHttpRequest.prototype.open;
XMLHttpRequest.prototype.open = function (method, url, ...rest) {
  if (isSteering(url)) {
    this.addEventListener('load', () => {
      const r = this.response;
      steered(typeof r === 'string' ? r : r instanceof ArrayBuffer ? new TextDecoder().decode(r) : JSON.stringify(r));
    });
  }
  return open.call(this, method, url, ...rest);
};
const realFetch = window.fetch;
window.fetch = async function (input, init) {
  const res = await realFetch.call(this, input, init);
  if (isSteering(input.url || input)) res.clone().text().then(steered);
  return res;
};

function stop() {
  if (player) player.destroy();
  player = null;
  const video = byId('video');
  video.removeAttribute('src');
  video.load();
  rundown.clear();
  cdns.feeds('');
  feeding = '';
  askAgain = 0;
  stall = { total: 0, begun: false, position: 0, since: 0 };
  problem('');
  for (const f of ['from', 'stall', 'buffer', 'order', 'ttl', 'protocol']) {
    byId('fact-' + f).textContent = '–';
    byId('fact-' + f).className = '';
  }
}

// start plays a programme on a session of its own: the demo's login service
// gives a new token each time.
async function start(programme, kind, transport) {
  stop();
  const mine = ++starting;
  const { token } = await (await realFetch('/api/v1/demo/viewer')).json();
  if (mine !== starting) return; // another one was started meanwhile
  byId('invitation').hidden = true;
  const file = kind === 'hlsjs' ? 'master.m3u8' : 'manifest.mpd';
  const url = (transport === 'tls' ? setup.edge : setup.plainEdge) + '/' + programme + '/' + file + '?device=' + kind + '&token=' + token;
  note('new session: ' + programme + ', ' + (kind === 'hlsjs' ? 'hls.js' : 'dash.js') + (transport === 'tls' ? ', TLS' : ''), 'act');
  const failed = (text) => problem(text + (transport === 'tls' && !feeding ? ' Does this browser know the demo\'s certificate? See the command below, or choose HTTP/1.1.' : ''));
  const video = byId('video');
  if (kind === 'hlsjs') {
    player = new Hls({ maxBufferLength: 15, liveSyncDuration: 20, liveMaxLatencyDuration: 45 });
    player.on(Hls.Events.ERROR, (_, d) => { if (d.fatal) failed('hls.js gave up: ' + d.details + '.'); });
    player.loadSource(url);
    player.attachMedia(video);
  } else {
    player = dashjs.MediaPlayer().create();
    player.updateSettings({ debug: { logLevel: 0 }, streaming: { delay: { liveDelay: 20 }, buffer: { bufferTimeDefault: 15 } } });
    player.on(dashjs.MediaPlayer.events.ERROR, (e) => { if (!feeding) failed('dash.js: ' + ((e.error && e.error.message) || e.type) + '.'); });
    player.initialize(video, url, true);
  }
  video.play().catch(() => {}); // autoplay of a muted video may still be refused; the controls are there
}

byId('choice').addEventListener('submit', (e) => {
  e.preventDefault();
  const f = new FormData(e.target);
  start(f.get('programme'), f.get('player'), f.get('transport')).catch(() => problem('The demo does not answer: has it ended?'));
});

// What the viewer sees: the buffer, and every time the picture stands still.
setInterval(() => {
  const video = byId('video');
  if (!player || video.readyState === 0) return;
  const now = performance.now();
  let ahead = 0;
  for (let i = 0; i < video.buffered.length; i++) {
    if (video.buffered.start(i) <= video.currentTime + 0.1) ahead = Math.max(0, video.buffered.end(i) - video.currentTime);
  }
  rundown.play(ahead);
  byId('fact-buffer').textContent = ahead.toFixed(1) + ' s';
  if (askAgain) byId('fact-ttl').textContent = Math.max(0, (askAgain - now) / 1000).toFixed(0) + ' s';
  const moves = video.currentTime !== stall.position;
  if (moves) stall.begun = true;
  const idle = video.paused || video.seeking || video.ended;
  if (moves || idle || !stall.begun) {
    stall.position = video.currentTime;
    stall.since = now;
    stall.counted = 0;
  } else if (now - stall.since > 250) { // shorter ones nobody sees
    stall.total += now - stall.since - (stall.counted || 0);
    stall.counted = now - stall.since;
  }
  byId('fact-stall').textContent = (stall.total / 1000).toFixed(1) + ' s';
  byId('fact-stall').className = stall.total > 0 ? 'bad' : '';
}, 100);

byId('zone').textContent = 'times in ' + new Intl.DateTimeFormat('en-GB', { timeZoneName: 'longOffset' }).formatToParts().find((p) => p.type === 'timeZoneName').value.replace('GMT', 'UTC');
