"use strict";
// Shaka Player 5 and 2.5: the same calls but for attaching and the live delay's place.
const shakaAdapter = {
  async start(video, o, report) {
    shaka.polyfill.installAll();
    const old = shaka.Player.version.startsWith("v2.");
    const player = old ? new shaka.Player(video) : new shaka.Player();
    if (!old) await player.attach(video);
    const config = {streaming: {}, manifest: {}, abr: {}};
    if (o.buffer) Object.assign(config.streaming, {bufferingGoal: o.buffer, rebufferingGoal: Math.min(2, o.buffer / 2)});
    if (o.liveDelay) {
      // The manifest's own suggestion would win otherwise.
      config.manifest.dash = {ignoreSuggestedPresentationDelay: true};
      if (old) config.manifest.dash.defaultPresentationDelay = o.liveDelay;
      else config.manifest.defaultPresentationDelay = o.liveDelay;
    }
    if (o.lowest) config.abr = {enabled: false, defaultBandwidthEstimate: 1, ...(old ? {} : {useNetworkInformation: false})};
    player.configure(config);
    if (Object.keys(o.config).length) player.configure(o.config);
    const failed = (e, fatal) => report.error(fatal ?? e.severity === 2, "shaka " + e.category + "." + e.code, e.message || "", typeof e.data?.[0] === "string" ? e.data[0] : "");
    player.addEventListener("error", e => failed(e.detail));
    // The player does not name its pathway: the addresses of its video segments do.
    player.getNetworkingEngine().registerResponseFilter((type, response) => {
      if (type === shaka.net.NetworkingEngine.RequestType.SEGMENT) report.pathway("", response.uri);
    });
    player.load(o.url, o.start || undefined).then(() => video.play()).catch(e => failed(e, true));
    return {version: shaka.Player.version, stop: () => player.destroy(), player,
      edge: () => player.isLive() ? player.getManifest()?.presentationTimeline.getSegmentAvailabilityEnd() : undefined};
  },
};
