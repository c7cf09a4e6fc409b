"use strict";
// dash.js reports all errors alike. These it survives: a failed download (it
// goes to the next BaseURL), xlink, clock synchronisation, subtitles.
const dashSurvives = new Set([12, 15, 16, 17, 18, 22, 25, 26, 27, 28, 29, 33, "download", "cc"]);
const dashFatal = e => !dashSurvives.has(e.error?.code ?? e.error);

// The live edge in media time; undefined for VOD.
const dashEdge = (player, video) => player.isReady() && player.isDynamic() ? video.currentTime + player.getCurrentLiveLatency() : undefined;

// dash.js 5: everything is a setting.
const dashAdapter = {
  async start(video, o, report) {
    const player = dashjs.MediaPlayer().create();
    const streaming = {buffer: {}, delay: {}, abr: {}};
    if (o.buffer) streaming.buffer = {bufferTimeDefault: o.buffer, bufferTimeAtTopQuality: o.buffer, bufferTimeAtTopQualityLongForm: o.buffer};
    if (o.liveDelay) streaming.delay.liveDelay = o.liveDelay;
    if (o.lowest) streaming.abr = {autoSwitchBitrate: {video: false}, initialBitrate: {video: 1}};
    player.updateSettings({debug: {logLevel: dashjs.Debug.LOG_LEVEL_NONE}, streaming});
    if (Object.keys(o.config).length) player.updateSettings(o.config);
    const events = dashjs.MediaPlayer.events;
    player.on(events.ERROR, e => report.error(dashFatal(e), String(e.error?.code ?? e.error), e.error?.message || "", e.error?.data?.request?.url || ""));
    player.on(events.FRAGMENT_LOADING_ABANDONED, e => report.error(false, "abandoned", "", e.request?.url || ""));
    player.on(events.FRAGMENT_LOADING_COMPLETED, e => {
      if (e.error) report.error(false, "fragment " + (e.error.code ?? ""), e.error.message || "", e.request?.url || "");
      else if (e.request?.mediaType === "video") report.pathway(e.request.serviceLocation || "", e.request.url);
    });
    player.initialize(video, o.url, true, o.start || undefined);
    return {version: player.getVersion(), stop: () => player.destroy(), player, edge: () => dashEdge(player, video)};
  },
};

// dash.js 2.9: a setter for each thing; no steering.
const dashOldAdapter = {
  async start(video, o, report) {
    const player = dashjs.MediaPlayer().create();
    player.initialize(video, null, true);
    player.getDebug().setLogToBrowserConsole(false);
    if (o.buffer) {
      player.setBufferTimeAtTopQuality(o.buffer);
      player.setBufferTimeAtTopQualityLongForm(o.buffer);
      player.setStableBufferTime(o.buffer);
    }
    if (o.liveDelay) player.setLiveDelay(o.liveDelay);
    if (o.lowest) { player.setAutoSwitchQualityFor("video", false); player.setInitialBitrateFor("video", 1); }
    const events = dashjs.MediaPlayer.events;
    player.on(events.ERROR, e => report.error(dashFatal(e), String(e.error?.code ?? e.error), e.event?.message || e.error?.message || String(e.event?.id || ""), e.event?.url || ""));
    player.on(events.FRAGMENT_LOADING_COMPLETED, e => {
      if (e.error) report.error(false, "fragment", String(e.error), e.request?.url || "");
      else if (e.request?.mediaType === "video") report.pathway(e.request.serviceLocation || "", e.request.url);
    });
    player.attachSource(o.url);
    return {version: player.getVersion(), stop: () => player.reset(), player, edge: () => dashEdge(player, video)};
  },
};
