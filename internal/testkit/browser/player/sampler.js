"use strict";
// Watches a media element the way a viewer does: every 50 ms, is the picture
// moving? It compares the wall clock with currentTime, so a busy main thread
// (no samples for a while, media playing on) is not mistaken for a stall.
class Sampler {
  // edge, if set, tells the live edge in media time. emit(type, data); limit: the stall in milliseconds from which it counts.
  constructor(video, emit, limit) {
    Object.assign(this, {video, emit, limit, started: false, stalled: false, held: false, played: 0, lost: 0, next: 0});
    this.opened = performance.now();
    video.addEventListener("ended", () => this.stop("ended"));
    video.addEventListener("error", () => emit("error", {
      fatal: true, code: "media element " + video.error?.code, message: video.error?.message || "",
    }));
  }

  start() { this.timer = setInterval(() => this.sample(), 50); }

  // The test moved or held the video: what follows is a new beginning.
  forgive() { this.moment = performance.now(); this.position = this.video.currentTime; this.stalled = false; }

  stop(type) {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = 0;
    // A stall that runs into the end is the end.
    this.emit(type, this.state());
  }

  sample() {
    const video = this.video, now = performance.now(), position = video.currentTime;
    if (!this.started) {
      if (this.position === undefined || video.seeking) this.position = position;
      if (position <= this.position || video.paused) { this.position = position; return; }
      this.started = true;
      this.forgive();
      this.emit("playing", {startup: now - this.opened, ...this.state()});
      return;
    }
    if (this.held) return; // by the test; a player that pauses on its own stalls
    const rate = video.playbackRate || 1;
    const wall = now - this.moment, moved = (position - this.position) * 1000 / rate;
    if (moved > -1 && moved < 1) {
      this.stood = wall;
      if (wall > this.limit && !this.stalled) {
        this.stalled = true;
        this.emit("stalled", {since: this.moment, ...this.state()});
      }
    } else {
      const lost = wall - moved;
      if (moved < 0 || lost < -this.limit) {
        this.emit("jump", {from: this.position, to: position, stood: moved < 0 ? wall : 0, ...this.state()});
        // Standing still before the jump was a stall all the same.
        if (this.stalled) this.emit("gap", {since: this.moment, lost: wall, ...this.state()});
      } else {
        this.played += moved;
        this.lost += Math.max(0, lost);
        if (this.stalled || lost > this.limit)
          this.emit("gap", {since: this.moment, lost: this.stalled ? Math.max(lost, this.stood) : lost, ...this.state()});
      }
      this.stalled = false;
      this.moment = now;
      this.position = position;
    }
    if (now >= this.next) { this.next = now + 500; this.emit("progress", this.state()); }
  }

  // Seconds, but for the page clock's milliseconds in since, lost and startup.
  state() {
    const video = this.video, position = video.currentTime;
    let ahead = 0;
    for (let i = 0; i < video.buffered.length; i++)
      if (video.buffered.start(i) <= position + 0.1 && video.buffered.end(i) > position) ahead = video.buffered.end(i) - position;
    const end = this.edge?.() ?? (video.seekable.length ? video.seekable.end(video.seekable.length - 1) : position);
    const quality = video.getVideoPlaybackQuality?.() || {};
    return {
      position, ahead, duration: Number.isFinite(video.duration) ? video.duration : 0,
      behind: Math.max(0, end - position), played: this.played / 1000, slipped: this.lost / 1000,
      height: video.videoHeight, frames: quality.totalVideoFrames || 0, dropped: quality.droppedVideoFrames || 0,
    };
  }
}
