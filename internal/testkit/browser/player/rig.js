"use strict";
// The test calls rig.start(options) once; everything after that it hears
// through rigEmit: loaded, playing, progress, stalled, gap, jump, pathway,
// error, ended, stopped.
const rig = (() => {
  const video = document.querySelector("video"), state = document.querySelector("#state");
  const kinds = {
    "hls.js": {adapter: hlsAdapter, script: "hls.js/hls.min.js"},
    "hls.js-old": {adapter: hlsAdapter, script: "hls.js-old/hls.min.js"},
    "dash.js": {adapter: dashAdapter, script: "dashjs/dash.all.min.js"},
    "dash.js-old": {adapter: dashOldAdapter, script: "dashjs-old/dash.all.min.js"},
    "shaka": {adapter: shakaAdapter, script: "shaka-player/shaka-player.compiled.js"},
    "shaka-old": {adapter: shakaAdapter, script: "shaka-player-old/shaka-player.compiled.js"},
  };
  let sampler, running;

  const emit = (type, data) => {
    rigEmit(JSON.stringify({type, at: performance.now(), ...data}));
    state.textContent = type + "\n" + JSON.stringify(data, null, 1);
  };

  const script = src => new Promise((done, failed) => {
    const element = Object.assign(document.createElement("script"), {src});
    element.onload = done;
    element.onerror = () => failed(new Error("cannot load " + src + ": run `make assets`"));
    document.head.append(element);
  });

  // The pathway's name and the origin that served, told when either changes.
  let last = "";
  const report = {
    error: (fatal, code, message, url) => emit("error", {fatal: !!fatal, code: String(code), message: String(message), url}),
    pathway: (name, url) => {
      const origin = url ? new URL(url, location.href).origin : "";
      if (name + " " + origin === last) return;
      last = name + " " + origin;
      emit("pathway", {name, origin, position: video.currentTime});
    },
  };

  return {
    video, get player() { return running?.player; },
    async start(options) {
      const kind = kinds[options.player];
      await script("npm/" + kind.script);
      sampler = new Sampler(video, emit, options.gap);
      sampler.start();
      running = await kind.adapter.start(video, {config: {}, ...options}, report);
      sampler.edge = running.edge;
      emit("loaded", {version: String(running.version)});
    },
    pause() { sampler.held = true; video.pause(); },
    async resume() { await video.play(); sampler.forgive(); sampler.held = false; },
    seek(position) {
      sampler.held = true;
      return new Promise(done => {
        video.addEventListener("seeked", () => { sampler.forgive(); sampler.held = video.paused; done(); }, {once: true});
        video.currentTime = position;
      });
    },
    async stop() { sampler.stop("stopped"); sampler.edge = undefined; await running?.stop(); },
  };
})();
