// Directions and paths: the same sums as geometry/camera.py, frames.py and path.py; the tests compare them.
(function (F) {
  "use strict";

  const DEG = Math.PI / 180;
  const MIN_RANGE_M = 0.3;
  const MAX_RANGE_M = 50.0;

  // a pinhole camera; u to the right and v down from the top left corner, in display pixels
  class Camera {
    constructor({ hfov_deg, width, height }) {
      Object.assign(this, { hfov_deg, width, height });
      this.focal_px = Math.max(width, height) / (2 * Math.tan((hfov_deg * DEG) / 2));
    }

    directions(u_px, v_px) {
      const left = this.width / 2 - u_px;
      const up = this.height / 2 - v_px;
      return [Math.atan2(left, this.focal_px) / DEG, Math.atan2(up, Math.hypot(this.focal_px, left)) / DEG];
    }

    pixels(azimuth_deg, elevation_deg) {
      const ahead = Math.cos(azimuth_deg * DEG);
      if (!(ahead > 1e-6)) return [NaN, NaN];
      const left = (this.focal_px * Math.sin(azimuth_deg * DEG)) / ahead;
      const up = Math.hypot(this.focal_px, left) * Math.tan(elevation_deg * DEG);
      return [this.width / 2 - left, this.height / 2 - up];
    }

    // the same as fractions of the picture
    directionOf(x, y) {
      return this.directions(x * this.width, y * this.height);
    }

    pointOf(azimuth_deg, elevation_deg) {
      const [u, v] = this.pixels(azimuth_deg, elevation_deg);
      return [u / this.width, v / this.height];
    }
  }

  function wrapDeg(angle) {
    const turned = (angle + 180) % 360;
    return (turned < 0 ? turned + 360 : turned) - 180;
  }

  function unitOf(azimuth_deg, elevation_deg) {
    const az = azimuth_deg * DEG;
    const el = elevation_deg * DEG;
    return [Math.cos(el) * Math.cos(az), Math.cos(el) * Math.sin(az), Math.sin(el)];
  }

  function anglesOf([x, y, z]) {
    return [Math.atan2(y, x) / DEG, Math.atan2(z, Math.hypot(x, y)) / DEG];
  }

  // along the great circle; opposite directions turn about the vertical axis
  function slerp(a, b, part) {
    const dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    const cross = Math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]);
    const angle = Math.atan2(cross, dot);
    let side = b.map((value, i) => value - Math.cos(angle) * a[i]);
    if (angle > Math.PI - 1e-6) side = Math.hypot(a[0], a[1]) > 1e-9 ? [-a[1], a[0], 0] : [0, 1, 0];
    const length = Math.hypot(...side);
    if (length <= 1e-12) return a;
    const turn = part * angle;
    const unit = a.map((value, i) => Math.cos(turn) * value + (Math.sin(turn) * side[i]) / length);
    const norm = Math.hypot(...unit);
    return unit.map((value) => value / norm);
  }

  // index of the first key later than t_s
  function keyAfter(keys, t_s) {
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (keys[middle].t_s > t_s) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  function rangeOf(distance_m) {
    return Math.min(Math.max(distance_m, MIN_RANGE_M), MAX_RANGE_M);
  }

  // where a source is at a time; the first and the last key are held outside the path
  function positionAt(keys, t_s) {
    const after = keyAfter(keys, t_s);
    const first = keys[Math.max(after - 1, 0)];
    const second = keys[after];
    if (after === 0 || !second || second.cut || first.t_s === t_s) {
      return {
        azimuth_deg: wrapDeg(first.azimuth_deg),
        elevation_deg: first.elevation_deg,
        distance_m: rangeOf(first.distance_m),
        confidence: first.confidence ?? 1,
        origin: first.origin ?? "edited",
      };
    }
    const part = (t_s - first.t_s) / (second.t_s - first.t_s);
    const [azimuth_deg, elevation_deg] = anglesOf(
      slerp(unitOf(first.azimuth_deg, first.elevation_deg), unitOf(second.azimuth_deg, second.elevation_deg), part),
    );
    const logs = (1 - part) * Math.log(rangeOf(first.distance_m)) + part * Math.log(rangeOf(second.distance_m));
    return {
      azimuth_deg,
      elevation_deg,
      distance_m: Math.exp(logs),
      confidence: (1 - part) * (first.confidence ?? 1) + part * (second.confidence ?? 1),
      origin: part < 0.5 ? (first.origin ?? "edited") : (second.origin ?? "edited"),
    };
  }

  F.space = { Camera, wrapDeg, unitOf, anglesOf, slerp, keyAfter, positionAt, rangeOf, MIN_RANGE_M, MAX_RANGE_M };
})((window.FoleyReport = window.FoleyReport || {}));
