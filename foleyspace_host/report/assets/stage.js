// The picture, and over it where each source is, was and will be.
(function (F) {
  "use strict";

  const MARGIN_PX = 24; // room beside the picture for what is out of it
  const TRAIL_S = 2;
  const TRAIL_STEP_S = 1 / 40;
  const GRIP_PX = 20;
  const BOX_WITHIN_S = 0.5;

  // fit a canvas to its element, in device pixels
  function fitted(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = canvas.getBoundingClientRect();
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return { context, width, height };
  }

  const ORIGINS = {
    detected: { name: "detected", colour: "#cfd8e3" },
    interpolated: { name: "interpolated", colour: "#7d8894" },
    offscreen: { name: "off screen", colour: "#b79cf2" },
    edited: { name: "edited", colour: "#ffb547" },
  };

  // each origin has its own shape, so that colour is not all that tells
  function drawMark(context, x, y, origin, size) {
    context.beginPath();
    context.fillStyle = context.strokeStyle = (ORIGINS[origin] ?? ORIGINS.edited).colour;
    if (origin === "edited") {
      const r = size * 1.5;
      context.moveTo(x, y - r);
      context.lineTo(x + r, y);
      context.lineTo(x, y + r);
      context.lineTo(x - r, y);
      context.closePath();
      context.fill();
    } else if (origin === "offscreen") {
      context.moveTo(x - size, y - size);
      context.lineTo(x + size, y);
      context.lineTo(x - size, y + size);
      context.closePath();
      context.fill();
    } else {
      context.arc(x, y, size, 0, 2 * Math.PI);
      context.lineWidth = 1.25;
      if (origin === "interpolated") context.stroke();
      else context.fill();
    }
  }

  class Stage {
    constructor(app, panel) {
      this.app = app;
      this.panel = panel;
      this.video = panel.querySelector("video");
      this.canvas = panel.querySelector("canvas");
      this.hover = null;
      this.drag = null;
      this._listen();
    }

    // where the picture is, in CSS pixels of the canvas
    layout() {
      const { width, height } = this.canvas.getBoundingClientRect();
      const aspect = this.app.facts.video.width / this.app.facts.video.height;
      const w = Math.max(Math.min(width - 2 * MARGIN_PX, (height - 2 * MARGIN_PX) * aspect), 40);
      const h = w / aspect;
      this.rect = { x: (width - w) / 2, y: (height - h) / 2, w, h };
      const style = { left: this.rect.x, top: this.rect.y, width: w, height: h };
      for (const [name, value] of Object.entries(style)) this.video.style[name] = `${value}px`;
    }

    toCanvas([x, y]) {
      return [this.rect.x + x * this.rect.w, this.rect.y + y * this.rect.h];
    }

    toPicture(px, py) {
      return [(px - this.rect.x) / this.rect.w, (py - this.rect.y) / this.rect.h];
    }

    spot(position) {
      return this.toCanvas(this.app.camera.pointOf(position.azimuth_deg, position.elevation_deg));
    }

    inside([x, y]) {
      const { rect } = this;
      return x >= rect.x && x <= rect.x + rect.w && y >= rect.y && y <= rect.y + rect.h;
    }

    // where the edge of the picture points to a source that is out of it
    edge(position) {
      const { rect } = this;
      let [x, y] = this.spot(position);
      if (!Number.isFinite(x) || Math.abs(position.azimuth_deg) > 89) {
        x = position.azimuth_deg > 0 ? rect.x - 1e4 : rect.x + rect.w + 1e4;
        y = rect.y + rect.h * (0.5 - position.elevation_deg / 90);
      }
      const inset = 13;
      return {
        x: Math.min(Math.max(x, rect.x - inset), rect.x + rect.w + inset),
        y: Math.min(Math.max(y, rect.y - inset), rect.y + rect.h + inset),
        angle: Math.atan2(y - Math.min(Math.max(y, rect.y), rect.y + rect.h), x - Math.min(Math.max(x, rect.x), rect.x + rect.w)),
      };
    }

    draw() {
      this.layout();
      const { context } = fitted(this.canvas);
      const { app } = this;
      this.handles = [];
      app.sources.forEach((source, index) => {
        if (index !== app.active && (app.showsAll || source.selected)) this._source(context, index, false);
      });
      if (app.sources[app.active]) this._source(context, app.active, true);
    }

    _source(context, index, active) {
      const { app } = this;
      const source = app.sources[index];
      const colour = app.colour(index);
      const position = F.space.positionAt(source.keys, app.time);
      context.save();
      context.globalAlpha = active ? 1 : source.selected ? 0.75 : 0.4;
      if (active) this._trail(context, source, colour);
      const spot = this.spot(position);
      this._box(context, source.id, colour, active);
      if (Number.isFinite(spot[0]) && this.inside(spot)) {
        this._dot(context, spot, colour, active, index);
        if (active || source.selected || this.hover === index) this._label(context, spot, source, position, colour, active);
        this.handles.push({ index, x: spot[0], y: spot[1], from: spot });
      } else {
        const edge = this.edge(position);
        this._arrow(context, edge, source, position, colour, active);
        this.handles.push({ index, x: edge.x, y: edge.y, from: [edge.x, edge.y] });
      }
      context.restore();
    }

    _trail(context, source, colour) {
      const { app } = this;
      const from = Math.max(app.time - TRAIL_S, 0);
      const to = Math.min(app.time + TRAIL_S, app.duration_s);
      const keysFrom = F.space.keyAfter(source.keys, from - 1e-9);
      const cuts = [];
      for (let i = Math.max(keysFrom, 1); source.keys[i]?.t_s <= to; i += 1) if (source.keys[i].cut) cuts.push(source.keys[i].t_s);
      const pieces = [];
      let before = null;
      for (let t = from; t <= to + 1e-9; t += TRAIL_STEP_S) {
        const spot = this.spot(F.space.positionAt(source.keys, t));
        const jumps = before && cuts.some((cut_s) => cut_s > before.t && cut_s <= t);
        if (before && !jumps && Number.isFinite(spot[0]) && Number.isFinite(before.spot[0])) {
          pieces.push({ a: before.spot, b: spot, past: t <= app.time, near: 1 - Math.abs(t - app.time) / TRAIL_S, n: pieces.length });
        }
        before = { t, spot };
      }
      context.lineCap = "butt";
      for (const ground of [true, false]) {
        for (const { a, b, past, near, n } of pieces) {
          if (!past && n % 4 > 1) continue;
          context.globalAlpha = (ground ? 0.5 : 1) * (past ? 0.1 + 0.9 * near : 0.15 + 0.6 * near);
          context.strokeStyle = ground ? "#000" : colour;
          context.lineWidth = (past ? 3 : 2) + (ground ? 2.5 : 0);
          context.beginPath();
          context.moveTo(...a);
          context.lineTo(...b);
          context.stroke();
        }
      }
      context.globalAlpha = 1;
      for (let i = keysFrom; source.keys[i]?.t_s <= to; i += 1) {
        const spot = this.spot(source.keys[i]);
        if (source.keys[i].origin === "edited" && Number.isFinite(spot[0])) drawMark(context, ...spot, "edited", 3.4);
      }
    }

    // around what was seen, wherever the source has been put since
    _box(context, id, colour, active) {
      const sizes = this.app.facts.sizes[id];
      const found = this.app.found.get(id);
      if (!sizes?.t_s.length || !found) return;
      let near = 0;
      for (let low = 0, high = sizes.t_s.length - 1; low <= high; ) {
        const middle = (low + high) >> 1;
        if (Math.abs(sizes.t_s[middle] - this.app.time) < Math.abs(sizes.t_s[near] - this.app.time)) near = middle;
        if (sizes.t_s[middle] < this.app.time) low = middle + 1;
        else high = middle - 1;
      }
      if (!(Math.abs(sizes.t_s[near] - this.app.time) <= BOX_WITHIN_S)) return;
      const [x, y] = this.spot(F.space.positionAt(found.keys, this.app.time));
      const w = sizes.width[near] * this.rect.w;
      const h = sizes.height[near] * this.rect.h;
      const corner = Math.min(18, w / 3, h / 3);
      const [l, t, r, b] = [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
      const path = new Path2D();
      for (const [cx, cy, sx, sy] of [[l, t, 1, 1], [r, t, -1, 1], [r, b, -1, -1], [l, b, 1, -1]]) {
        path.moveTo(cx + sx * corner, cy);
        path.lineTo(cx, cy);
        path.lineTo(cx, cy + sy * corner);
      }
      context.save();
      context.beginPath();
      context.rect(this.rect.x - 2, this.rect.y - 2, this.rect.w + 4, this.rect.h + 4);
      context.clip();
      context.lineJoin = context.lineCap = "round";
      context.strokeStyle = "rgba(0,0,0,.5)";
      context.lineWidth = active ? 4.5 : 3.5;
      context.stroke(path);
      context.strokeStyle = colour;
      context.lineWidth = active ? 2.25 : 1.5;
      context.stroke(path);
      context.restore();
    }

    _dot(context, [x, y], colour, active, index) {
      const held = this.drag?.index === index || this.hover === index;
      const r = (active ? 7 : 5) + (held ? 2 : 0);
      context.beginPath();
      context.arc(x, y, r + 3.5, 0, 2 * Math.PI);
      context.fillStyle = "rgba(8,10,12,.55)";
      context.fill();
      context.beginPath();
      context.arc(x, y, r, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
      context.lineWidth = 2;
      context.strokeStyle = "#fff";
      context.stroke();
      if (held) {
        context.beginPath();
        context.arc(x, y, r + 8, 0, 2 * Math.PI);
        context.lineWidth = 1.5;
        context.strokeStyle = "rgba(255,255,255,.7)";
        context.stroke();
      }
      if (active && this.app.keyHere()?.origin === "edited") drawMark(context, x, y, "edited", 2.6);
    }

    _label(context, [x, y], source, position, colour, active) {
      const name = F.text.short(source.label || source.id);
      const text = active ? `${name}   ${F.text.metres(position.distance_m)}` : name;
      this._chip(context, text, x, y - (active ? 30 : 24), colour);
    }

    _chip(context, text, x, y, colour) {
      context.font = "600 12px system-ui, sans-serif";
      const width = context.measureText(text).width + 20;
      const { width: whole } = this.canvas.getBoundingClientRect();
      const left = Math.min(Math.max(x - width / 2, 6), whole - width - 6);
      const top = Math.max(y - 11, 4);
      context.beginPath();
      context.roundRect(left, top, width, 22, 5);
      context.fillStyle = "rgba(13,15,18,.82)";
      context.fill();
      context.beginPath();
      context.roundRect(left + 4, top + 5, 3, 12, 1.5);
      context.fillStyle = colour;
      context.fill();
      context.fillStyle = "#f1f3f5";
      context.textBaseline = "middle";
      context.fillText(text, left + 12, top + 11.5);
    }

    _arrow(context, edge, source, position, colour, active) {
      const size = active ? 10 : 7;
      context.save();
      context.translate(edge.x, edge.y);
      context.rotate(edge.angle);
      context.beginPath();
      context.moveTo(size, 0);
      context.lineTo(-size * 0.7, -size);
      context.lineTo(-size * 0.3, 0);
      context.lineTo(-size * 0.7, size);
      context.closePath();
      context.fillStyle = colour;
      context.fill();
      context.lineJoin = "round";
      context.lineWidth = 1.5;
      context.strokeStyle = "rgba(255,255,255,.9)";
      context.stroke();
      context.restore();
      if (!active && !source.selected && this.app.sources[this.hover] !== source) return;
      const text = `${F.text.short(source.label || source.id)}   ${F.text.side(position.azimuth_deg)}`;
      const inward = edge.x < this.rect.x + this.rect.w / 2 ? 1 : -1;
      const beside = Math.abs(Math.cos(edge.angle)) > 0.5;
      context.font = "600 12px system-ui, sans-serif";
      const half = context.measureText(text).width / 2 + 10;
      this._chip(context, text, edge.x + (beside ? inward * (half + 22) : 0), edge.y + (beside ? 0 : -Math.sin(edge.angle) * 32), colour);
    }

    _hit(event) {
      const { left, top } = this.canvas.getBoundingClientRect();
      const [x, y] = [event.clientX - left, event.clientY - top];
      let best = null;
      for (const handle of this.handles ?? []) {
        const away = Math.hypot(handle.x - x, handle.y - y) - (handle.index === this.app.active ? 8 : 0);
        if (away <= GRIP_PX && (!best || away < best.away)) best = { ...handle, away };
      }
      return { x, y, handle: best };
    }

    _listen() {
      const { canvas, app } = this;
      canvas.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        const { x, y, handle } = this._hit(event);
        if (!handle) return;
        event.preventDefault();
        canvas.focus({ preventScroll: true });
        canvas.setPointerCapture(event.pointerId);
        app.pause();
        app.choose(handle.index);
        this.drag = { index: handle.index, dx: handle.from[0] - x, dy: handle.from[1] - y, moved: false, x, y };
        app.beginEdit();
        app.refresh();
      });
      canvas.addEventListener("pointermove", (event) => {
        const { x, y, handle } = this._hit(event);
        if (!this.drag) {
          const hover = handle ? handle.index : null;
          if (hover !== this.hover) {
            this.hover = hover;
            canvas.style.cursor = handle ? "grab" : "crosshair";
            app.refresh();
          }
          return;
        }
        if (!this.drag.moved && Math.hypot(x - this.drag.x, y - this.drag.y) < 2) return;
        this.drag.moved = true;
        canvas.style.cursor = "grabbing";
        const [azimuth_deg, elevation_deg] = app.camera.directionOf(...this.toPicture(x + this.drag.dx, y + this.drag.dy));
        app.edit({ azimuth_deg, elevation_deg });
      });
      const end = (event) => {
        if (!this.drag) return;
        const { moved } = this.drag;
        this.drag = null;
        canvas.style.cursor = "grab";
        app.endEdit(moved && event.type !== "pointercancel");
      };
      canvas.addEventListener("pointerup", end);
      canvas.addEventListener("pointercancel", end);
      canvas.addEventListener("pointerleave", () => {
        if (!this.drag && this.hover !== null) {
          this.hover = null;
          app.refresh();
        }
      });
      canvas.addEventListener("dblclick", (event) => {
        const { x, y, handle } = this._hit(event);
        if (handle) return;
        const [azimuth_deg, elevation_deg] = app.camera.directionOf(...this.toPicture(x, y));
        app.add(azimuth_deg, elevation_deg);
      });
    }
  }

  F.stage = { Stage, fitted, drawMark, ORIGINS };
})((window.FoleyReport = window.FoleyReport || {}));
