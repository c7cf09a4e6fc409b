// The rundown: one lane for each CDN, one column for each segment number, and
// in it what was fetched of video, audio and subtitles. It is fed by the
// browser's own record of requests, not by what the players say.
'use strict';

const setup = JSON.parse(document.getElementById('setup').textContent);

const rundown = (() => {
  const columns = 30; // segments of two seconds: a minute
  const box = document.getElementById('segments');
  const kinds = ['video', 'audio', 'text'];
  const lanes = {};
  let newest = 0;
  let newestVideo = 0;

  for (const cdn of setup.cdns) {
    const row = document.createElement('div');
    row.className = 'lane ' + cdn.id;
    const name = document.createElement('span');
    name.className = 'name';
    name.textContent = cdn.id;
    const list = document.createElement('ol');
    list.setAttribute('aria-label', 'Segments from ' + cdn.id);
    row.append(name, list);
    box.append(row);
    lanes[cdn.id] = list;
  }
  const head = document.createElement('div');
  head.className = 'head';
  head.hidden = true;
  box.append(head);

  // What a URL of the demo's programmes is: its kind and its number, or null.
  function media(url) {
    const m = new URL(url).pathname.match(/\/(v\d+|audio|text)[^/]*\/[^/]+\/(\d+)\.m4s$/);
    if (!m) return null;
    return { kind: m[1][0] === 'v' ? 'video' : m[1], number: Number(m[2]) };
  }

  function shift(by) {
    for (const list of Object.values(lanes)) {
      for (const li of [...list.children]) {
        const at = Number(li.dataset.column) - by;
        if (at < 1) li.remove();
        else { li.dataset.column = at; li.style.gridColumn = at; }
      }
    }
  }

  return {
    // add shows one request; it tells whether it was a segment that arrived.
    add(cdn, entry, protocol) {
      const m = media(entry.name);
      if (!m) return false;
      const failed = entry.responseStatus === 0 || entry.responseStatus >= 400;
      if (newest === 0) newest = m.number + columns - 1; // the first one stands at the left
      if (m.number > newest) { shift(m.number - newest); newest = m.number; }
      const column = m.number - newest + columns;
      if (column < 1) return !failed;
      const li = document.createElement('li');
      li.className = m.kind + (failed ? ' failed' : '');
      li.dataset.cdn = cdn.id;
      li.dataset.column = column;
      li.dataset.protocol = protocol;
      li.style.gridColumn = column;
      li.style.gridRow = kinds.indexOf(m.kind) + 1;
      li.title = (failed ? 'failed: ' : '') + m.kind + ' ' + m.number + ' from ' + cdn.id + (protocol ? ' over ' + protocol : '');
      lanes[cdn.id].append(li);
      if (m.kind === 'video' && !failed) newestVideo = Math.max(newestVideo, m.number);
      return !failed;
    },
    // play moves the line to the picture: so many seconds before the end of
    // the newest video.
    play(ahead) {
      head.hidden = newestVideo === 0;
      const column = newestVideo - newest + columns - ahead / 2;
      head.style.setProperty('--at', Math.max(0, Math.min(1, column / columns)));
    },
    clear() {
      newest = newestVideo = 0;
      head.hidden = true;
      for (const list of Object.values(lanes)) list.replaceChildren();
    },
  };
})();
