// The trajectory as it is edited: every edit makes a new one, so that undoing is going back to the old.
(function (F) {
  "use strict";

  const { wrapDeg, keyAfter, positionAt, rangeOf } = F.space;
  const SAME_TIME_S = 1e-6;
  const FLOATS = new Set([
    "duration_s", "hfov_deg", "confidence", "gain_db", "extent_deg",
    "t_s", "azimuth_deg", "elevation_deg", "distance_m", "image_xy",
  ]);

  class Record {
    constructor(text) {
      this.now = JSON.parse(text);
      this.saved = this.now;
      this.past = [];
      this.coming = [];
    }

    get changed() {
      return this.now !== this.saved;
    }

    // one step to undo
    commit(next) {
      if (next === this.now) return;
      this.past.push(this.now);
      this.coming = [];
      this.now = next;
    }

    undo() {
      if (!this.past.length) return false;
      this.coming.push(this.now);
      this.now = this.past.pop();
      return true;
    }

    redo() {
      if (!this.coming.length) return false;
      this.past.push(this.now);
      this.now = this.coming.pop();
      return true;
    }

    edits() {
      return this.now.sources.reduce((n, source) => n + source.keys.filter((k) => k.origin === "edited").length, 0);
    }
  }

  const rounded = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits + 0;

  function placed(key, azimuth_deg, elevation_deg, distance_m, camera) {
    const next = {
      ...key,
      azimuth_deg: rounded(wrapDeg(azimuth_deg), 4),
      elevation_deg: rounded(Math.min(Math.max(elevation_deg, -90), 90), 4),
      distance_m: rounded(distance_m, 4),
    };
    const point = Math.abs(next.azimuth_deg) < 89 ? camera.pointOf(next.azimuth_deg, next.elevation_deg) : [NaN, NaN];
    if (point.every(Number.isFinite)) next.image_xy = point.map((value) => rounded(value, 5));
    else delete next.image_xy;
    return next;
  }

  function withSource(record, index, change) {
    const source = record.sources[index];
    const next = { ...source, ...change };
    return { ...record, sources: record.sources.map((own) => (own === source ? next : own)) };
  }

  // index of the key at a time, or -1
  function keyAt(keys, t_s, within_s) {
    const after = keyAfter(keys, t_s);
    let best = -1;
    for (const index of [after - 1, after]) {
      const away = keys[index] ? Math.abs(keys[index].t_s - t_s) : Infinity;
      if (away <= within_s + SAME_TIME_S && (best < 0 || away < Math.abs(keys[best].t_s - t_s))) best = index;
    }
    return best;
  }

  // from 1 at 0 to 0 at 1, with level ends; as in localize/edited.py
  function fade(away) {
    const x = Math.min(Math.max(away, 0), 1);
    return 1 - x * x * (3 - 2 * x);
  }

  // nothing was seen of it: its keys are no more than a guess, and the first key that a person sets replaces them
  function isAssumed(source) {
    return source.keys.every((key) => key.origin === "interpolated");
  }

  // put a source somewhere at a time, and lead the keys around it there as far as the blend reaches
  function placeAt(record, index, t_s, position, { camera, blend_s, within_s }) {
    let keys = record.sources[index].keys.slice();
    let at = keyAt(keys, t_s, within_s);
    const before = at >= 0 ? keys[at] : positionAt(keys, t_s);
    if (isAssumed(record.sources[index])) [keys, at] = [[], -1];
    const wanted = {
      azimuth_deg: position.azimuth_deg ?? before.azimuth_deg,
      elevation_deg: position.elevation_deg ?? before.elevation_deg,
      distance_m: position.distance_m ?? before.distance_m,
    };
    const moved = {
      azimuth: wrapDeg(wanted.azimuth_deg - before.azimuth_deg),
      elevation: wanted.elevation_deg - before.elevation_deg,
      log: Math.log(rangeOf(wanted.distance_m) / rangeOf(before.distance_m)),
    };
    if (at < 0) {
      at = keyAfter(keys, t_s);
      keys.splice(at, 0, { t_s: rounded(t_s, 6), cut: false });
    }
    keys[at] = placed(
      { ...keyFields(keys[at]), confidence: 1, origin: "edited", cut: keys[at].cut ?? false },
      wanted.azimuth_deg, wanted.elevation_deg, wanted.distance_m, camera,
    );
    const own_s = keys[at].t_s;
    for (const step of [-1, 1]) {
      // a cut ends the shot: the key that carries it is the first of the next one
      const reaches = [];
      let reach_s = blend_s;
      for (let i = at + step; keys[i]; i += step) {
        if (step < 0 ? keys[i + 1].cut : keys[i].cut) break;
        const away_s = Math.abs(keys[i].t_s - own_s);
        if (keys[i].origin === "edited") reach_s = Math.min(reach_s, away_s);
        if (away_s >= reach_s) break;
        reaches.push(i);
      }
      for (const i of reaches) {
        const part = fade(Math.abs(keys[i].t_s - own_s) / reach_s);
        const { azimuth_deg, elevation_deg, distance_m } = keys[i];
        keys[i] = placed(
          keys[i], azimuth_deg + part * moved.azimuth, elevation_deg + part * moved.elevation,
          distance_m * Math.exp(part * moved.log), camera,
        );
      }
    }
    return withSource(record, index, { keys });
  }

  // the fields of a key in the order of the file, with room for those that an edit fills
  function keyFields(key) {
    const order = { t_s: 0, azimuth_deg: 0, elevation_deg: 0, distance_m: 0, confidence: 1, image_xy: [0, 0] };
    return { ...order, origin: "edited", cut: false, ...key };
  }

  function removeKey(record, index, t_s, within_s) {
    const keys = record.sources[index].keys;
    const at = keyAt(keys, t_s, within_s);
    if (at < 0 || keys.length < 2) return record;
    return withSource(record, index, { keys: keys.filter((_, i) => i !== at) });
  }

  // the picture jumps here: what comes after has nothing to do with what came before
  function toggleCut(record, indices, t_s, { camera, within_s }) {
    const on = !indices.every((index) => {
      const keys = record.sources[index].keys;
      return keys[keyAt(keys, t_s, within_s)]?.cut;
    });
    for (const index of indices) {
      const keys = record.sources[index].keys.slice();
      const at = keyAt(keys, t_s, within_s);
      if (at >= 0) keys[at] = { ...keyFields(keys[at]), origin: "edited", cut: on };
      else {
        const after = keyAfter(keys, t_s);
        const like = keys[after] ?? keys[after - 1];
        const key = keyFields({ t_s: rounded(t_s, 6), origin: "edited", cut: on });
        keys.splice(after, 0, placed(key, like.azimuth_deg, like.elevation_deg, like.distance_m, camera));
      }
      record = withSource(record, index, { keys });
    }
    return record;
  }

  function addSource(record, t_s, position, camera) {
    const taken = new Set(record.sources.map((source) => source.id));
    let number = 1;
    while (taken.has(`added-${number}`)) number += 1;
    const key = keyFields({ t_s: rounded(t_s, 6), origin: "edited" });
    const source = {
      id: `added-${number}`, label: `added ${number}`, confidence: 1, selected: true, gain_db: 0,
      keys: [placed(key, position.azimuth_deg, position.elevation_deg, position.distance_m, camera)],
    };
    return { ...record, sources: [...record.sources, source] };
  }

  // a number as Python writes a float
  function float(value) {
    const size = Math.abs(value);
    if (Number.isInteger(value) && size < 1e16) return `${value}.0`;
    if (size >= 1e16 || (size < 1e-4 && size > 0)) {
      return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
    }
    return String(value);
  }

  function written(value, name) {
    if (typeof value === "number" && FLOATS.has(name)) return float(value);
    if (Array.isArray(value)) return `[${value.map((item) => written(item, name)).join(", ")}]`;
    if (value !== null && typeof value === "object") return `{${fields(value)}}`;
    return JSON.stringify(value);
  }

  function fields(object) {
    return Object.entries(object)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${JSON.stringify(name)}: ${written(value, name)}`)
      .join(", ");
  }

  // the same text as geometry/trajectory_file.py writes, one key a line; fields that it does not know stay
  function dumps(record) {
    const { sources, ...head } = record;
    const lines = Object.entries(head).map(([name, value]) => ` ${JSON.stringify(name)}: ${written(value, name)},`);
    const texts = sources.map(({ keys, ...own }) => {
      const rows = keys.map((key) => `    {${fields(key)}}`).join(",\n");
      return `  {${fields(own)},\n   "keys": [\n${rows}\n   ]}`;
    });
    lines.push(texts.length ? ` "sources": [\n${texts.join(",\n")}\n ]` : ' "sources": []');
    return `{\n${lines.join("\n")}\n}\n`;
  }

  F.record = { Record, placeAt, removeKey, toggleCut, addSource, withSource, isAssumed, keyAt, fade, dumps };
})((window.FoleyReport = window.FoleyReport || {}));
