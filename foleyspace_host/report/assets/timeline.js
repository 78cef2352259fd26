// Time from left to right: the sound, how sure each source is, its keys, and the cuts.
(function (F) {
  "use strict";

  const RULER_PX = 24;
  const WAVE_PX = 40;
  const ACTIVE_PX = 60;
  const LANE_PX = 30;
  const KEYS_PX = 14; // the strip of a lane on which its keys stand
  const LEAST_SPAN_S = 0.25;
  const SNAP_PX = 5;

  class Timeline {
    constructor(app, canvas) {
      this.app = app;
      this.canvas = canvas;
      this.view = { from: 0, to: app.duration_s };
      this.wave = decoded(app.facts.wave);
      this._listen();
    }

    get height() {
      const lanes = this.app.sources.reduce((sum, _, i) => sum + (i === this.app.active ? ACTIVE_PX : LANE_PX), 0);
      return RULER_PX + (this.wave ? WAVE_PX : 0) + lanes;
    }

    x(t_s) {
      return ((t_s - this.view.from) / (this.view.to - this.view.from)) * this.width;
    }

    t(x) {
      return this.view.from + (x / this.width) * (this.view.to - this.view.from);
    }

    zoom(factor, around = this.app.time) {
      const span = Math.min(Math.max((this.view.to - this.view.from) * factor, LEAST_SPAN_S), this.app.duration_s);
      const part = (around - this.view.from) / (this.view.to - this.view.from);
      this.show(around - part * span, span);
    }

    show(from, span = this.view.to - this.view.from) {
      const start = Math.min(Math.max(from, 0), Math.max(this.app.duration_s - span, 0));
      this.view = { from: start, to: Math.min(start + span, this.app.duration_s) };
      this.app.refresh();
    }

    // turn the page when the playhead leaves it
    follow() {
      const span = this.view.to - this.view.from;
      const { time } = this.app;
      if (time < this.view.from) this.show(time - 0.1 * span);
      else if (time > this.view.to - 0.02 * span && this.view.to < this.app.duration_s - 1e-6) this.show(time - 0.1 * span);
    }

    draw() {
      this.canvas.style.height = `${this.height}px`;
      const { context, width, height } = F.stage.fitted(this.canvas);
      this.width = width;
      this._ruler(context);
      let y = RULER_PX;
      if (this.wave) {
        this._wave(context, y);
        y += WAVE_PX;
      }
      this.lanes = this.app.sources.map((source, index) => {
        const lane = { top: y, height: index === this.app.active ? ACTIVE_PX : LANE_PX };
        y += lane.height;
        this._lane(context, source, index, lane);
        return lane;
      });
      this._cuts(context, height);
      this._playhead(context, height);
    }

    _ruler(context) {
      const span = this.view.to - this.view.from;
      const wanted = (span * 90) / this.width;
      const step = [0.04, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800].find((s) => s >= wanted) ?? 3600;
      context.font = "11px system-ui, sans-serif";
      context.textBaseline = "middle";
      for (let n = Math.floor(this.view.from / step); n * step <= this.view.to; n += 1) {
        const x = Math.round(this.x(n * step)) + 0.5;
        context.strokeStyle = "rgba(255,255,255,.07)";
        context.beginPath();
        context.moveTo(x, RULER_PX - 6);
        context.lineTo(x, this.height);
        context.stroke();
        context.fillStyle = "#8b95a1";
        const label = F.text.time(n * step, step < 1 ? 2 : 0);
        const wide = context.measureText(label).width;
        if (x + wide + 4 < this.width) context.fillText(label, x + 4, RULER_PX / 2 + 1);
      }
    }

    _wave(context, top) {
      const { peaks, per_s } = this.wave;
      const middle = top + WAVE_PX / 2;
      context.beginPath();
      for (let x = 0; x < this.width; x += 1) {
        const first = Math.floor(this.t(x) * per_s);
        const last = Math.max(Math.ceil(this.t(x + 1) * per_s), first + 1);
        let peak = 0;
        for (let i = Math.max(first, 0); i < Math.min(last, peaks.length); i += 1) peak = Math.max(peak, peaks[i]);
        const h = Math.max((peak / 255) * (WAVE_PX / 2 - 4), 0.5);
        context.rect(x, middle - h, 1, 2 * h);
      }
      context.fillStyle = "#56616e";
      context.fill();
    }

    _lane(context, source, index, { top, height }) {
      const { app } = this;
      const active = index === app.active;
      const colour = app.colour(index);
      const bottom = top + height - 1;
      if (active) {
        context.fillStyle = "rgba(255,255,255,.035)";
        context.fillRect(0, top, this.width, height);
      }
      context.fillStyle = "rgba(255,255,255,.08)";
      context.fillRect(0, bottom, this.width, 1);
      const floor = bottom - KEYS_PX;
      const ceiling = top + 4;
      context.globalAlpha = source.selected ? 1 : 0.45;
      this._confidence(context, source.keys, floor, ceiling, colour);
      this._keys(context, source.keys, bottom - KEYS_PX / 2, active);
      context.globalAlpha = 1;
      context.font = `${active ? 600 : 400} 11px system-ui, sans-serif`;
      const name = F.text.short(source.label || source.id);
      const wide = context.measureText(name).width;
      context.fillStyle = "rgba(16,18,21,.72)";
      context.fillRect(4, top + 4, wide + 12, 16);
      context.fillStyle = active ? "#f1f3f5" : "#aab3bd";
      context.textBaseline = "middle";
      context.fillText(name, 10, top + 12.5);
    }

    // what is drawn is thinned to the pixels; the keys are not
    _confidence(context, keys, floor, ceiling, colour) {
      const y = (confidence) => floor - Math.min(Math.max(confidence, 0), 1) * (floor - ceiling);
      const first = Math.max(F.space.keyAfter(keys, this.view.from) - 1, 0);
      const last = Math.min(F.space.keyAfter(keys, this.view.to), keys.length - 1);
      const line = new Path2D();
      const held = (key) => y(key.confidence ?? 1);
      line.moveTo(Math.min(this.x(keys[first].t_s), 0), held(keys[first]));
      if (last - first > 2 * this.width) {
        for (let x = 0, i = first; x < this.width; x += 1) {
          let low = Infinity;
          for (; i <= last && this.x(keys[i].t_s) <= x + 1; i += 1) low = Math.min(low, keys[i].confidence ?? 1);
          if (low < Infinity) line.lineTo(x, y(low));
        }
      } else {
        for (let i = first; i <= last; i += 1) {
          if (keys[i].cut && i) line.lineTo(this.x(keys[i].t_s), held(keys[i - 1]));
          line.lineTo(this.x(keys[i].t_s), held(keys[i]));
        }
      }
      line.lineTo(Math.max(this.x(keys[last].t_s), this.width), held(keys[last]));
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.stroke(line);
      line.lineTo(Math.max(this.x(keys[last].t_s), this.width), floor);
      line.lineTo(0, floor);
      line.closePath();
      const alpha = context.globalAlpha;
      context.globalAlpha = 0.16 * alpha;
      context.fillStyle = colour;
      context.fill(line);
      context.globalAlpha = alpha;
    }

    _keys(context, keys, y, active) {
      const first = F.space.keyAfter(keys, this.view.from - 1e-9);
      const last = F.space.keyAfter(keys, this.view.to + 1e-9);
      const crowded = (last - first) * 6 > this.width;
      const size = active ? 2.6 : 2;
      let edge = -Infinity;
      for (let i = first; i < last; i += 1) {
        const x = this.x(keys[i].t_s);
        if (crowded && keys[i].origin !== "edited") {
          if (x < edge) continue;
          edge = x + 6;
        }
        if (keys[i].origin !== "edited") F.stage.drawMark(context, x, y, keys[i].origin, size);
      }
      // what a person has set lies on top
      for (let i = first; i < last; i += 1) {
        if (keys[i].origin === "edited") F.stage.drawMark(context, this.x(keys[i].t_s), y, "edited", size + 0.6);
      }
    }

    _cuts(context, height) {
      if (this.seen !== this.app.record.now) {
        this.seen = this.app.record.now;
        const times = this.app.sources.flatMap((source) => source.keys.slice(1).filter((key) => key.cut).map((key) => key.t_s));
        this.cuts = [...new Set(times)].sort((a, b) => a - b);
      }
      context.setLineDash([3, 3]);
      context.strokeStyle = "rgba(255,255,255,.5)";
      context.fillStyle = "#dfe4ea";
      context.lineWidth = 1;
      for (const t_s of this.cuts) {
        if (t_s < this.view.from || t_s > this.view.to) continue;
        const x = Math.round(this.x(t_s)) + 0.5;
        context.beginPath();
        context.moveTo(x, RULER_PX - 4);
        context.lineTo(x, height);
        context.stroke();
        context.fillRect(x - 3.5, RULER_PX - 9, 3, 6);
        context.fillRect(x + 0.5, RULER_PX - 9, 3, 6);
      }
      context.setLineDash([]);
    }

    _playhead(context, height) {
      const x = Math.round(this.x(this.app.time)) + 0.5;
      context.strokeStyle = "#ffffff";
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x, 6);
      context.lineTo(x, height);
      context.stroke();
      context.beginPath();
      context.moveTo(x - 6, 2);
      context.lineTo(x + 6, 2);
      context.lineTo(x + 6, 8);
      context.lineTo(x, 15);
      context.lineTo(x - 6, 8);
      context.closePath();
      context.fillStyle = "#ffffff";
      context.fill();
    }

    _listen() {
      const { canvas, app } = this;
      const scrub = (event, snaps) => {
        const { left, top } = canvas.getBoundingClientRect();
        const [x, y] = [event.clientX - left, event.clientY - top];
        let t_s = this.t(x);
        const index = this.lanes.findIndex((lane) => y >= lane.top && y < lane.top + lane.height);
        if (snaps && index >= 0) {
          app.choose(index);
          const within = (SNAP_PX / this.width) * (this.view.to - this.view.from);
          const lane = this.lanes[index];
          const at = y > lane.top + lane.height - KEYS_PX - 3 ? F.record.keyAt(app.source.keys, t_s, within) : -1;
          if (at >= 0) t_s = app.source.keys[at].t_s;
        }
        app.seek(t_s);
      };
      canvas.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        canvas.setPointerCapture(event.pointerId);
        this.scrubs = true;
        scrub(event, true);
      });
      canvas.addEventListener("pointermove", (event) => this.scrubs && scrub(event, false));
      for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (this.scrubs = false));
      canvas.addEventListener("wheel", (event) => {
        const sideways = event.shiftKey ? event.deltaY : event.deltaX;
        event.preventDefault();
        const span = this.view.to - this.view.from;
        if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) this.show(this.view.from + (sideways / this.width) * span);
        else this.zoom(Math.exp(event.deltaY * 0.0025), this.t(event.clientX - canvas.getBoundingClientRect().left));
      }, { passive: false });
    }
  }

  function decoded(wave) {
    if (!wave) return null;
    return { per_s: wave.per_s, peaks: F.bytes(wave.peaks) };
  }

  F.timeline = { Timeline };
})((window.FoleyReport = window.FoleyReport || {}));
