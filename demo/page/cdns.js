// The cards of the CDNs: what the admin API says of them, and the buttons that
// drain and break them. Every change can be taken back at the same button.
'use strict';

const cdns = (() => {
  const token = document.querySelector('meta[name=manifold-token]').content;
  const cards = {};

  async function change(method, path, body) {
    const res = await fetch(path, {
      method,
      headers: { Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!res.ok) problem((await res.json()).error);
    await refresh();
  }

  function card(id) {
    const el = document.createElement('article');
    el.className = 'cdn ' + id;
    const h = document.createElement('h3');
    const state = document.createElement('span');
    h.append(id, state);
    const facts = document.createElement('p');
    const buttons = document.createElement('div');
    const c = { el, state, facts, cdn: {}, pathway: {} };
    const fault = (f) => change('PUT', '/api/v1/demo/cdns/' + id, { refuse: c.cdn.refuse, status: c.cdn.status, latency: c.cdn.latency, ...f });
    const drain = () => '/api/v1/pathways/' + c.pathway.set + '/' + id + '/drain';
    // Each: what it says when off and on, whether it is on, and both actions.
    c.buttons = [
      { off: 'Drain', on: 'Undo drain', is: () => !!c.pathway.drain, word: ['drained', 'drain undone'],
        set: () => change('PUT', drain(), { who: 'demo page', why: 'the button Drain' }), unset: () => change('DELETE', drain()) },
      { off: 'Take down', on: 'Bring back', is: () => c.cdn.refuse, word: ['taken down', 'brought back'],
        set: () => fault({ refuse: true }), unset: () => fault({ refuse: false }) },
      { off: 'Answer 503', on: 'No more 503', is: () => !!c.cdn.status, word: ['answers 503 to all', 'answers again'],
        set: () => fault({ status: 503 }), unset: () => fault({ status: 0 }) },
      { off: 'Slow down', on: 'Full speed', is: () => c.cdn.latency !== '0s', word: ['slower by 300 ms', 'at full speed'],
        set: () => fault({ latency: '300ms' }), unset: () => fault({ latency: '0s' }) },
    ];
    for (const b of c.buttons) {
      b.el = document.createElement('button');
      b.el.type = 'button';
      b.el.addEventListener('click', () => {
        const on = b.is();
        note(id + ' ' + b.word[on ? 1 : 0], 'act');
        (on ? b.unset() : b.set()).catch(gone);
      });
      buttons.append(b.el);
    }
    el.append(h, facts, buttons);
    return c;
  }

  function stateOf(cdn, p) {
    if (cdn.refuse) return ['refuses connections', 'bad'];
    if (cdn.status) return ['answers ' + cdn.status, 'bad'];
    if (p.health === 'down') return ['down, says the probe', 'bad'];
    if (p.drain) return ['drained', 'aside'];
    return [(p.health || 'unknown') + (cdn.latency !== '0s' ? ', slow' : ''), p.health === 'healthy' ? '' : 'aside'];
  }

  function show(cdn, p) {
    let c = cards[cdn.id];
    if (!c) {
      c = cards[cdn.id] = card(cdn.id);
      document.getElementById('cdns').append(c.el);
    }
    if (c.pathway.health && p.health !== c.pathway.health) note('the edge finds ' + cdn.id + ' ' + p.health);
    c.cdn = cdn;
    c.pathway = p;
    const [text, kind] = stateOf(cdn, p);
    c.state.textContent = text;
    c.state.className = 'state ' + kind;
    c.facts.textContent = 'weight ' + p.weight + ', token ' + cdn.token + ', ' + (cdn.requests || 0) + ' requests';
    for (const b of c.buttons) {
      const on = b.is();
      b.el.textContent = on ? b.on : b.off;
      b.el.setAttribute('aria-label', b.el.textContent + ': ' + cdn.id);
      b.el.classList.toggle('on', on);
    }
  }

  async function refresh() {
    const [pathways, list] = await Promise.all(['/api/v1/pathways', '/api/v1/demo/cdns'].map((u) => fetch(u).then((r) => r.json())));
    for (const cdn of list) show(cdn, pathways.find((p) => p.id === cdn.id) || {});
  }

  const gone = () => problem('The admin API does not answer: has the demo ended?');
  refresh().catch(gone);
  setInterval(() => refresh().catch(gone), 1000);
  return {
    // feeds marks the card of the CDN that the picture comes from.
    feeds(id) { for (const k in cards) cards[k].el.classList.toggle('feeds', k === id); },
  };
})();
