// Numbers as people read them, and bytes as pages carry them.
(function (F) {
  "use strict";

  function time(t_s, digits = 2) {
    const sign = t_s < 0 ? "-" : "";
    const whole = Math.abs(t_s) + 0.5 * 10 ** -digits;
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    const parts = (whole % 60 - 0.5 * 10 ** -digits);
    const seconds = Math.max(parts, 0).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
    return hours ? `${sign}${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${sign}${minutes}:${seconds}`;
  }

  const metres = (distance_m) => `${distance_m < 10 ? distance_m.toFixed(1) : Math.round(distance_m)} m`;

  function side(azimuth_deg) {
    const size = Math.round(Math.abs(azimuth_deg));
    return size === 0 ? "ahead" : `${size}° ${azimuth_deg > 0 ? "left" : "right"}`;
  }

  const short = (name) => (name.length > 32 ? `${name.slice(0, 31)}…` : name);

  // base64 in pieces: one string of a whole video would be held several times over
  function bytes(base64) {
    const clean = base64.trim();
    const end = clean.endsWith("==") ? 2 : clean.endsWith("=") ? 1 : 0;
    const all = new Uint8Array((clean.length / 4) * 3 - end);
    const step = 4 << 18;
    for (let at = 0, to = 0; at < clean.length; at += step) {
      const part = atob(clean.slice(at, at + step));
      for (let i = 0; i < part.length; i += 1, to += 1) all[to] = part.charCodeAt(i);
    }
    return all;
  }

  F.text = { time, metres, side, short };
  F.bytes = bytes;
})((window.FoleyReport = window.FoleyReport || {}));
