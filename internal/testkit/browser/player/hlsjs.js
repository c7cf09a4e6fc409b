"use strict";
// hls.js, current and 0.14. Each adapter: script, start(video, options, report) → {version, stop}.
// report: error(fatal, code, message, url), pathway(name, url).
const hlsAdapter = {
  async start(video, o, report) {
    const config = {maxMaxBufferLength: Math.max(o.buffer || 30, 30), ...o.config};
    if (o.buffer) Object.assign(config, {maxBufferLength: o.buffer, maxMaxBufferLength: o.buffer, backBufferLength: 30});
    if (o.liveDelay) config.liveSyncDuration = o.liveDelay;
    if (o.lowest) Object.assign(config, {startLevel: 0, abrEwmaDefaultEstimate: 1000, testBandwidth: false});
    if (o.start) config.startPosition = o.start;
    Object.assign(config, o.config);
    const hls = new Hls(config);
    if (o.lowest) hls.on(Hls.Events.MANIFEST_PARSED, () => { hls.autoLevelCapping = 0; });
    hls.on(Hls.Events.ERROR, (_, e) => report.error(e.fatal, e.details, e.error?.message || e.reason || e.response?.code || "", e.url || e.frag?.url || e.response?.url || ""));
    hls.on(Hls.Events.FRAG_CHANGED, (_, e) => {
      const frag = e.frag;
      if (frag.type && frag.type !== "main") return;
      report.pathway(hls.levels[frag.level]?.pathwayId || "", frag.url);
    });
    hls.on(Hls.Events.MEDIA_ATTACHED, () => hls.loadSource(o.url));
    hls.attachMedia(video);
    return {version: Hls.version, stop: () => hls.destroy(), player: hls,
      edge: () => { const d = hls.levels[hls.currentLevel]?.details; return d?.live ? d.edge : undefined; }};
  },
};
