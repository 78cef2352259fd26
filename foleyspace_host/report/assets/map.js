// Seen from above, and from the side: the listener, how far sources are, and where they go.
(function (F) {
  "use strict";

  const DEG = Math.PI / 180;
  const RINGS_M = [1, 2, 5, 10, 20, 50];
  const PATH_POINTS = 600;
  const GRIP_PX = 18;

  // near things matter more: the radius grows with the logarithm
  const share = (distance_m, far_m) => Math.log1p(distance_m) / Math.log1p(far_m);
  const distanceOf = (part, far_m) => Math.expm1(Math.min(Math.max(part, 0.01), 1) * Math.log1p(far_m));

  class SoundMap {
    constructor(app, canvas, side) {
      this.app = app;
      this.canvas = canvas;
      this.side = side;
      this.drag = null;
      this._listen();
    }

    measure() {
      const { app } = this;
      if (this.seen !== app.record.now) {
        this.seen = app.record.now;
        let farthest = 4;
        let widest = 0;
        for (const source of app.sources) {
          const step = Math.max(Math.floor(source.keys.length / 2000), 1);
          for (let i = 0; i < source.keys.length; i += step) {
            farthest = Math.max(farthest, F.space.rangeOf(source.keys[i].distance_m));
            widest = Math.max(widest, Math.abs(F.space.wrapDeg(source.keys[i].azimuth_deg)));
          }
        }
        // while something is dragged the map must not change under the hand
        if (!this.drag) {
          this.far_m = RINGS_M.find((ring) => ring >= farthest * 1.05) ?? 50;
          this.round = widest > 88;
          // as much of the half in front as is needed, so that it can be large
          this.half = Math.min(Math.max(widest + 12, 48), 90) * DEG;
        }
      }
      const { width, height } = this.canvas.getBoundingClientRect();
      const radius = this.round ? Math.min(width / 2, height / 2) - 14 : Math.min((width / 2 - 14) / Math.sin(this.half), height - 36);
      const room = Math.max(radius, 24);
      this.centre = { x: width / 2, y: this.round ? height / 2 : (height + room) / 2 + 2, radius: room };
    }

    spot(position) {
      const r = this.centre.radius * share(F.space.rangeOf(position.distance_m), this.far_m);
      const az = position.azimuth_deg * DEG;
      return [this.centre.x - r * Math.sin(az), this.centre.y - r * Math.cos(az)];
    }

    draw() {
      this.measure();
      const { context, width, height } = F.stage.fitted(this.canvas);
      this._ground(context, width, height);
      const { app } = this;
      app.sources.forEach((source, index) => {
        if (index !== app.active && (app.showsAll || source.selected)) this._source(context, source, index, false);
      });
      if (app.sources[app.active]) this._source(context, app.sources[app.active], app.active, true);
      this._listener(context);
      this._side();
    }

    _ground(context) {
      const { x, y, radius } = this.centre;
      const half = Math.atan(this.app.camera.width / 2 / this.app.camera.focal_px);
      context.beginPath();
      context.moveTo(x, y);
      context.arc(x, y, radius, -Math.PI / 2 - half, -Math.PI / 2 + half);
      context.closePath();
      context.fillStyle = "rgba(255,255,255,.045)";
      context.fill();
      context.strokeStyle = "rgba(255,255,255,.10)";
      context.lineWidth = 1;
      context.stroke();
      context.font = "11px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      const side = this.round ? 62 * DEG : this.half;
      let outer = Infinity;
      for (const ring of RINGS_M.filter((m) => m <= this.far_m).reverse()) {
        const r = radius * share(ring, this.far_m);
        context.beginPath();
        if (this.round) context.arc(x, y, r, 0, 2 * Math.PI);
        else context.arc(x, y, r, -Math.PI / 2 - this.half, -Math.PI / 2 + this.half);
        context.strokeStyle = "rgba(255,255,255,.11)";
        context.stroke();
        if (outer - r < 20) continue;
        outer = r;
        const label = `${ring} m`;
        const [lx, ly] = [x + r * Math.sin(side) - (this.round ? 0 : 6), y - r * Math.cos(side) + (this.round ? 0 : 9)];
        context.fillStyle = "#8b95a1";
        context.fillText(label, lx, ly);
      }
      context.fillStyle = "#8b95a1";
      context.fillText("front", x, y - radius - 7);
      context.textAlign = "left";
    }

    _path(context, source, spot, alpha, colour) {
      const { keys } = source;
      const step = Math.max(Math.floor(keys.length / PATH_POINTS), 1);
      context.beginPath();
      for (let i = 0; i < keys.length; i += step) {
        const [px, py] = spot(keys[i]);
        if (i === 0 || keys[i].cut) context.moveTo(px, py);
        else context.lineTo(px, py);
      }
      context.globalAlpha = alpha;
      context.lineWidth = 1.5;
      context.lineJoin = "round";
      context.strokeStyle = colour;
      context.stroke();
      context.globalAlpha = 1;
    }

    _source(context, source, index, active) {
      const colour = this.app.colour(index);
      const position = F.space.positionAt(source.keys, this.app.time);
      const spot = this.spot(position);
      this._path(context, source, (key) => this.spot(key), active ? 0.55 : 0.2, colour);
      if (active) {
        context.beginPath();
        context.moveTo(this.centre.x, this.centre.y);
        context.lineTo(...spot);
        context.setLineDash([2, 4]);
        context.strokeStyle = "rgba(255,255,255,.4)";
        context.stroke();
        context.setLineDash([]);
        this.handle = spot;
      }
      dot(context, spot, colour, active ? 6 : 4, active || source.selected ? 1 : 0.45);
    }

    _listener(context) {
      const { x, y } = this.centre;
      context.fillStyle = "#e9ecef";
      context.beginPath();
      context.moveTo(x - 3, y - 6);
      context.lineTo(x, y - 11);
      context.lineTo(x + 3, y - 6);
      context.fill();
      context.beginPath();
      context.arc(x, y, 6.5, 0, 2 * Math.PI);
      context.fill();
      for (const sign of [-1, 1]) {
        context.beginPath();
        context.ellipse(x + sign * 7.5, y, 2, 3.5, 0, 0, 2 * Math.PI);
        context.fill();
      }
    }

    _side() {
      const { app } = this;
      const { context, width, height } = F.stage.fitted(this.side);
      if (width < 40) return; // there is no room for it
      const y = height / 2;
      const x = 14;
      const radius = width - x - 8;
      context.font = "11px system-ui, sans-serif";
      context.textBaseline = "middle";
      context.strokeStyle = "rgba(255,255,255,.11)";
      context.fillStyle = "#8b95a1";
      for (const el of [-30, 0, 30]) {
        context.beginPath();
        context.moveTo(x, y);
        context.lineTo(x + radius * Math.cos(el * DEG), y - radius * Math.sin(el * DEG));
        context.stroke();
      }
      for (const ring of RINGS_M.filter((m) => m <= this.far_m)) {
        context.beginPath();
        context.arc(x, y, radius * share(ring, this.far_m), -0.75, 0.75);
        context.stroke();
      }
      context.textAlign = "left";
      context.fillText("up", 4, 9);
      context.fillText("down", 4, height - 8);
      const spot = (position) => {
        const r = radius * share(F.space.rangeOf(position.distance_m), this.far_m);
        const el = position.elevation_deg * DEG;
        return [x + r * Math.cos(el), y - r * Math.sin(el)];
      };
      app.sources.forEach((source, index) => {
        const active = index === app.active;
        if (!active && !app.showsAll && !source.selected) return;
        if (active) this._path(context, source, spot, 0.45, app.colour(index));
        const at = spot(F.space.positionAt(source.keys, app.time));
        dot(context, at, app.colour(index), active ? 5 : 3, active || source.selected ? 1 : 0.45);
      });
      context.fillStyle = "#e9ecef";
      context.beginPath();
      context.arc(x, y, 4.5, 0, 2 * Math.PI);
      context.fill();
    }

    _at(event) {
      const { left, top } = this.canvas.getBoundingClientRect();
      return [event.clientX - left - this.centre.x, this.centre.y - (event.clientY - top)];
    }

    _listen() {
      const { canvas, app } = this;
      const grips = (event) => {
        const [right, ahead] = this._at(event);
        return (
          this.handle &&
          Math.hypot(right + this.centre.x - this.handle[0], this.centre.y - ahead - this.handle[1]) <= GRIP_PX
        );
      };
      canvas.addEventListener("pointerdown", (event) => {
        if (event.button !== 0 || !grips(event)) return;
        event.preventDefault();
        canvas.setPointerCapture(event.pointerId);
        app.pause();
        const position = F.space.positionAt(app.source.keys, app.time);
        const point = app.camera.pointOf(position.azimuth_deg, position.elevation_deg);
        // what is seen keeps its direction, which the picture tells better than the map
        this.drag = { seen: point.every((value) => value >= 0 && value <= 1) };
        app.beginEdit();
      });
      canvas.addEventListener("pointermove", (event) => {
        if (!this.drag) {
          canvas.style.cursor = grips(event) ? "grab" : "default";
          return;
        }
        canvas.style.cursor = "grabbing";
        const [right, ahead] = this._at(event);
        const change = { distance_m: F.space.rangeOf(distanceOf(Math.hypot(right, ahead) / this.centre.radius, this.far_m)) };
        if (!this.drag.seen || event.shiftKey) change.azimuth_deg = Math.atan2(-right, ahead) / DEG;
        this.drag.moved = true;
        app.edit(change);
      });
      const end = (event) => {
        if (!this.drag) return;
        const { moved } = this.drag;
        this.drag = null;
        app.endEdit(Boolean(moved) && event.type !== "pointercancel");
      };
      canvas.addEventListener("pointerup", end);
      canvas.addEventListener("pointercancel", end);
    }
  }

  function dot(context, [x, y], colour, r, alpha) {
    context.globalAlpha = alpha;
    context.beginPath();
    context.arc(x, y, r, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = "#fff";
    context.stroke();
    context.globalAlpha = 1;
  }

  F.map = { SoundMap };
})((window.FoleyReport = window.FoleyReport || {}));
