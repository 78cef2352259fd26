// The page: what is chosen, what time it is, what the keys and buttons do.
(function (F) {
  "use strict";

  const COLOURS = ["#58b5f5", "#f29b4b", "#74d093", "#ec86b8", "#d9cc57", "#ab9bf5", "#f07d70", "#56cfc8"];
  const NEW_DISTANCE_M = 3;
  const NUDGE_DEG = 0.5;
  const NUDGE_FACTOR = 1.05;

  const $ = (id) => document.getElementById(id);
  const json = (id) => JSON.parse($(id).textContent);

  class App {
    constructor() {
      this.facts = json("facts");
      this.record = new F.record.Record($("trajectory").textContent);
      this.found = new Map(this.sources.map((source) => [source.id, source]));
      this.camera = new F.space.Camera(this.facts.camera);
      this.duration_s = this.record.now.duration_s;
      this.frame_s = 1 / this.facts.frame_rate_hz;
      this.time = 0;
      this.active = Math.max(this.sources.findIndex((source) => source.selected), 0);
      this.showsAll = true;
      this.video = $("video");
      this.stage = new F.stage.Stage(this, $("stage"));
      this.map = new F.map.SoundMap(this, $("map"), $("side-view"));
      this.timeline = new F.timeline.Timeline(this, $("timeline"));
      this.preview = new F.listen.Preview(this.video);
      this._playback();
      this._buttons();
      this._keyboard();
      this._fields();
      new ResizeObserver(() => this.refresh()).observe(document.body);
      window.addEventListener("beforeunload", (event) => {
        if (this.record.changed) event.preventDefault();
      });
      this.refresh();
    }

    get sources() {
      return this.record.now.sources;
    }

    get source() {
      return this.sources[this.active];
    }

    colour(index) {
      return COLOURS[index % COLOURS.length];
    }

    position(source = this.source) {
      return F.space.positionAt(source.keys, this.time);
    }

    keyHere() {
      const keys = this.source?.keys;
      return keys && keys[F.record.keyAt(keys, this.time, this.frame_s / 2)];
    }

    // drawing waits for the next picture, however many changes there are until then
    refresh() {
      if (this.waits) return;
      this.waits = true;
      requestAnimationFrame(() => {
        this.waits = false;
        this.draw();
      });
    }

    draw() {
      this.stage.draw();
      this.map.draw();
      this.timeline.draw();
      this._readout();
      if (this.listed !== this.record.now || this.listedActive !== this.active) this._list();
      if (this.preview.on) this._listen();
    }

    // ---- time

    seek(t_s) {
      this.time = Math.min(Math.max(t_s, 0), this.duration_s);
      // a quarter of a picture later, so that rounded time stamps show this picture and not the one before
      const wanted = Math.min(this.time + this.frame_s / 4, Math.max((this.video.duration || this.duration_s) - 0.001, 0));
      if (this.video.seeking) this.pending = wanted;
      else this.video.currentTime = wanted;
      this.timeline.follow();
      this.refresh();
    }

    step(pictures) {
      this.pause();
      this.seek((Math.round(this.time / this.frame_s) + pictures) * this.frame_s);
    }

    stepKey(direction) {
      if (!this.source) return;
      this.pause();
      const { keys } = this.source;
      const near = this.frame_s / 2;
      const later = F.space.keyAfter(keys, this.time + near);
      const earlier = F.space.keyAfter(keys, this.time - near - 1e-9) - 1;
      const key = keys[direction > 0 ? later : earlier];
      if (key) this.seek(key.t_s);
    }

    play() {
      if (this.time >= this.duration_s - this.frame_s) this.seek(0);
      this.video.play().catch(() => {});
    }

    pause() {
      if (!this.video.paused) this.video.pause();
    }

    _playback() {
      const { video } = this;
      const { kind, href } = this.facts.video;
      if (kind === "embedded") {
        const node = $("video-data");
        video.src = URL.createObjectURL(new Blob([F.bytes(node.textContent)], { type: "video/webm" }));
        node.remove();
      } else video.src = href;
      video.addEventListener("error", () => this._missing());
      video.addEventListener("loadeddata", () => ($("missing").hidden = true));
      video.addEventListener("seeked", () => {
        if (this.pending === undefined) return;
        video.currentTime = this.pending;
        this.pending = undefined;
      });
      for (const name of ["play", "pause", "ended"]) {
        video.addEventListener(name, () => {
          $("play").setAttribute("aria-pressed", String(!video.paused));
          $("play").setAttribute("aria-label", video.paused ? "Play" : "Pause");
          $("play-icon").setAttribute("href", video.paused ? "#i-play" : "#i-pause");
          if (name === "ended") this.time = this.duration_s;
          this.refresh();
        });
      }
      const shown = (t_s) => {
        if (video.paused || video.seeking) return;
        this.time = Math.min(t_s, this.duration_s);
        this.timeline.follow();
        this.refresh();
      };
      if (video.requestVideoFrameCallback) {
        const each = (_, { mediaTime }) => {
          shown(mediaTime);
          video.requestVideoFrameCallback(each);
        };
        video.requestVideoFrameCallback(each);
      } else {
        const each = () => {
          shown(video.currentTime);
          requestAnimationFrame(each);
        };
        each();
      }
      $("find-video").addEventListener("change", (event) => {
        const [file] = event.target.files;
        if (file) video.src = URL.createObjectURL(file);
      });
    }

    _missing() {
      $("missing").hidden = false;
      const { kind, href } = this.facts.video;
      $("missing-name").textContent = kind === "embedded" ? this.facts.title : decodeURIComponent(href);
    }

    // ---- edits

    choose(index) {
      if (index === this.active || !this.sources[index]) return;
      this.active = index;
      this.refresh();
    }

    get _how() {
      return { camera: this.camera, blend_s: Number($("blend").value), within_s: this.frame_s / 2 };
    }

    // while something is dragged, each move starts again from what there was before
    beginEdit() {
      this.before = this.record.now;
    }

    edit(position) {
      const from = this.before ?? this.record.now;
      this.record.now = F.record.placeAt(from, this.active, this.time, position, this._how);
      this.refresh();
    }

    endEdit(keep) {
      const after = this.record.now;
      this.record.now = this.before;
      this.before = undefined;
      if (keep) this._commit(after, `${this._name()} placed at ${F.text.time(this.time)}`);
      else this.refresh();
    }

    place(position) {
      if (!this.source) return;
      this.pause();
      const next = F.record.placeAt(this.record.now, this.active, this.time, position, this._how);
      this._commit(next, `${this._name()} placed at ${F.text.time(this.time)}`);
    }

    nudge(azimuth_deg, elevation_deg, factor = 1) {
      const now = this.position();
      this.place({
        azimuth_deg: now.azimuth_deg + azimuth_deg,
        elevation_deg: now.elevation_deg + elevation_deg,
        distance_m: F.space.rangeOf(now.distance_m * factor),
      });
    }

    add(azimuth_deg, elevation_deg) {
      this.pause();
      const distance_m = this.source ? this.position().distance_m : NEW_DISTANCE_M;
      const next = F.record.addSource(this.record.now, this.time, { azimuth_deg, elevation_deg, distance_m }, this.camera);
      this.active = next.sources.length - 1;
      this._commit(next, "Source added");
    }

    removeKey() {
      const next = F.record.removeKey(this.record.now, this.active, this.time, this.frame_s / 2);
      if (next === this.record.now) this.say("There is no key here that could be deleted");
      else this._commit(next, `Key at ${F.text.time(this.time)} deleted`);
    }

    cut() {
      if (!this.source) return;
      this.pause();
      const indices = this.sources.map((_, i) => i).filter((i) => i === this.active || this.sources[i].selected);
      this._commit(F.record.toggleCut(this.record.now, indices, this.time, this._how), `Cut at ${F.text.time(this.time)} changed`);
    }

    select(index, selected) {
      const name = this.sources[index].label || this.sources[index].id;
      this._commit(F.record.withSource(this.record.now, index, { selected }), `${name} ${selected ? "sounds" : "is silent"}`);
    }

    rename(label) {
      if (this.source && label !== this.source.label) {
        this._commit(F.record.withSource(this.record.now, this.active, { label }), "Source renamed");
      }
    }

    _name() {
      return this.source.label || this.source.id;
    }

    _commit(next, what) {
      this.record.commit(next);
      this.say(what);
      this.refresh();
    }

    undo() {
      if (this.record.undo()) this._moved("Undone");
    }

    redo() {
      if (this.record.redo()) this._moved("Done again");
    }

    _moved(what) {
      this.active = Math.min(this.active, Math.max(this.sources.length - 1, 0));
      this.say(what);
      this.refresh();
    }

    save() {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([F.record.dumps(this.record.now)], { type: "application/json" }));
      link.download = this.facts.save_as;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      this.record.saved = this.record.now;
      this.say(`Saved as ${this.facts.save_as}`);
      this.refresh();
    }

    async copy() {
      const text = F.record.dumps(this.record.now);
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const field = document.createElement("textarea");
        field.value = text;
        document.body.append(field);
        field.select();
        document.execCommand("copy");
        field.remove();
      }
      this.say("The trajectory is on the clipboard");
    }

    say(text) {
      $("status").textContent = text;
    }

    // ---- what is shown beside the drawings

    _readout() {
      const { record, source } = this;
      const edits = record.edits();
      $("clock").textContent = F.text.time(this.time, 2);
      $("length").textContent = F.text.time(this.duration_s, 2);
      $("state").textContent = record.changed ? "Not saved" : edits ? "Saved" : "As found";
      $("state").dataset.changed = String(record.changed);
      $("undo").disabled = !record.past.length;
      $("redo").disabled = !record.coming.length;
      document.title = `${record.changed ? "• " : ""}${this.facts.title} · FoleySpace`;
      const canvas = $("timeline");
      canvas.setAttribute("aria-valuemax", this.duration_s.toFixed(2));
      canvas.setAttribute("aria-valuenow", this.time.toFixed(2));
      canvas.setAttribute("aria-valuetext", `${F.text.time(this.time)} of ${F.text.time(this.duration_s)}`);
      const zoomed = this.timeline.view.to - this.timeline.view.from < this.duration_s - 1e-6;
      $("fit").disabled = !zoomed;
      for (const id of ["azimuth", "elevation", "distance", "delete-key", "cut", "label"]) $(id).disabled = !source;
      if (!source) return;
      const now = this.position();
      for (const [id, value, digits] of [["azimuth", now.azimuth_deg, 1], ["elevation", now.elevation_deg, 1], ["distance", now.distance_m, 2]]) {
        if (document.activeElement !== $(id)) $(id).value = (Math.round(value * 10 ** digits) / 10 ** digits + 0).toFixed(digits);
      }
      if (document.activeElement !== $("label")) $("label").value = source.label;
      const key = this.keyHere();
      $("origin").textContent = key ? `Key here: ${(F.stage.ORIGINS[key.origin] ?? F.stage.ORIGINS.edited).name}` : "Between keys";
      $("origin").dataset.origin = key?.origin ?? "none";
      $("sure").textContent = `${Math.round(100 * now.confidence)} % sure`;
      $("delete-key").disabled = !key || source.keys.length < 2;
      $("cut").setAttribute("aria-pressed", String(Boolean(key?.cut)));
    }

    _list() {
      this.listed = this.record.now;
      this.listedActive = this.active;
      // rows stay where they are: one that is replaced between press and release would lose the click
      const list = $("sources");
      while (list.children.length > this.sources.length) list.lastElementChild.remove();
      this.sources.forEach((source, index) => this._fill(list.children[index] ?? list.appendChild(this._row(index)), source, index));
      $("nothing").hidden = !this.sources.length || !this.sources.every(F.record.isAssumed);
      $("alone").hidden = this.sources.some((source) => source.selected);
    }

    _row(index) {
      const row = $("source-row").content.firstElementChild.cloneNode(true);
      const toggle = row.querySelector("input");
      row.style.setProperty("--colour", this.colour(index));
      row.querySelector(".pick").addEventListener("click", () => this.choose(index));
      toggle.addEventListener("change", () => this.select(index, toggle.checked));
      return row;
    }

    _fill(row, source, index) {
      const toggle = row.querySelector("input");
      row.querySelector(".pick").setAttribute("aria-pressed", String(index === this.active));
      row.querySelector(".name").textContent = source.label || source.id;
      row.querySelector(".score").textContent = `${Math.round(100 * (source.confidence ?? 1))} %`;
      const lines = summary(source).map((line) => {
        const span = document.createElement("span");
        span.textContent = line;
        return span;
      });
      row.querySelector(".detail").replaceChildren(...lines);
      toggle.checked = source.selected ?? true;
      toggle.setAttribute("aria-label", `${source.label || source.id} sounds`);
    }

    _listen() {
      const voices = this.sources.filter((source) => source.selected).map((source) => ({
        id: source.id,
        gain_db: source.gain_db ?? 0,
        median_m: medianDistance(source),
        ...this.position(source),
      }));
      this.preview.place(voices);
    }

    // ---- hands

    _buttons() {
      const on = (id, act) => $(id).addEventListener("click", act);
      on("play", () => (this.video.paused ? this.play() : this.pause()));
      on("key-before", () => this.stepKey(-1));
      on("key-after", () => this.stepKey(1));
      on("frame-before", () => this.step(-1));
      on("frame-after", () => this.step(1));
      on("undo", () => this.undo());
      on("redo", () => this.redo());
      on("save", () => this.save());
      on("copy", () => this.copy());
      on("delete-key", () => this.removeKey());
      on("cut", () => this.cut());
      on("zoom-in", () => this.timeline.zoom(0.6));
      on("zoom-out", () => this.timeline.zoom(1 / 0.6));
      on("fit", () => this.timeline.show(0, this.duration_s));
      on("help", () => $("keys").showModal());
      $("keys").addEventListener("click", (event) => event.target === $("keys") && $("keys").close());
      // a browser gives the sound of another file out only to those that it came from
      $("preview").hidden = !this.facts.has_sound || this.facts.video.kind !== "embedded" || !window.AudioContext;
      on("preview", async () => $("preview").setAttribute("aria-pressed", String(await this.preview.toggle())) ?? this.refresh());
      on("others", () => {
        this.showsAll = !this.showsAll;
        $("others").setAttribute("aria-pressed", String(this.showsAll));
        this.refresh();
      });
      $("blend").addEventListener("input", () => ($("blend-text").textContent = `${Number($("blend").value).toFixed(1)} s`));
    }

    _fields() {
      const numbers = { azimuth: "azimuth_deg", elevation: "elevation_deg", distance: "distance_m" };
      for (const [id, name] of Object.entries(numbers)) {
        $(id).addEventListener("change", () => {
          const value = $(id).valueAsNumber;
          if (!Number.isFinite(value)) return this.refresh();
          const bounded = { azimuth: F.space.wrapDeg, elevation: (v) => Math.min(Math.max(v, -90), 90), distance: F.space.rangeOf };
          return this.place({ [name]: bounded[id](value) });
        });
      }
      $("label").addEventListener("change", () => this.rename($("label").value));
      for (const id of [...Object.keys(numbers), "label"]) {
        $(id).addEventListener("keydown", (event) => event.key === "Enter" && $(id).blur());
        $(id).addEventListener("blur", () => this.refresh());
      }
    }

    _keyboard() {
      const plain = {
        " ": () => $("play").click(),
        "[": () => this.stepKey(-1),
        "]": () => this.stepKey(1),
        s: () => this.save(),
        c: () => this.cut(),
        o: () => $("others").click(),
        l: () => $("preview").hidden || $("preview").click(),
        "+": () => this.timeline.zoom(0.6),
        "=": () => this.timeline.zoom(0.6),
        "-": () => this.timeline.zoom(1 / 0.6),
        f: () => $("fit").click(),
        Home: () => this.seek(0),
        End: () => this.seek(this.duration_s),
        Delete: () => this.removeKey(),
        Backspace: () => this.removeKey(),
        "?": () => $("keys").showModal(),
      };
      const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      document.addEventListener("keydown", (event) => {
        const target = event.target;
        const typing = target.matches("input:not([type=checkbox]):not([type=range]), textarea");
        const command = event.ctrlKey || event.metaKey;
        const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
        if (command) {
          const commands = { z: event.shiftKey ? () => this.redo() : () => this.undo(), y: () => this.redo(), s: () => this.save() };
          if (typing && key !== "s") return;
          if (commands[key]) {
            event.preventDefault();
            commands[key]();
          }
          return;
        }
        if (typing || $("keys").open) return;
        if (arrows[key]) {
          const [left, up] = arrows[key];
          if (event.altKey) this._nudged(event, left, up);
          else if (target.matches("[type=range]")) return;
          else if (!left) this.choose(this.active - up);
          else if (event.shiftKey) this.seek(this.time - left);
          else this.step(-left);
          event.preventDefault();
        } else if (plain[key] && !(key === " " && target.matches("button, input"))) {
          event.preventDefault();
          plain[key]();
        }
      });
    }

    // Alt and an arrow move the source; with Shift up and down mean farther and nearer
    _nudged(event, left, up) {
      if (!this.source) return;
      if (event.shiftKey && up) this.nudge(0, 0, NUDGE_FACTOR ** up);
      else this.nudge(NUDGE_DEG * left, NUDGE_DEG * up);
    }
  }

  const medians = new WeakMap();

  function medianDistance(source) {
    if (!medians.has(source)) {
      const all = source.keys.map((key) => F.space.rangeOf(key.distance_m)).sort((a, b) => a - b);
      medians.set(source, all[all.length >> 1]);
    }
    return medians.get(source);
  }

  const summaries = new WeakMap();

  function summary(source) {
    if (!summaries.has(source)) {
      let [detected, edited, left, right, near, far] = [0, 0, -Infinity, Infinity, Infinity, 0];
      for (const key of source.keys) {
        detected += key.origin === "detected";
        edited += (key.origin ?? "edited") === "edited";
        const azimuth = F.space.wrapDeg(key.azimuth_deg);
        [left, right] = [Math.max(left, azimuth), Math.min(right, azimuth)];
        [near, far] = [Math.min(near, key.distance_m), Math.max(far, key.distance_m)];
      }
      const share = Math.round((100 * detected) / source.keys.length);
      const parts = [detected ? `seen ${share} %` : edited ? "placed by hand" : "assumed"];
      if (detected && edited) parts.push(`${edited} edited`);
      parts.push(F.text.metres(near) === F.text.metres(far) ? F.text.metres(near) : `${F.text.metres(near)} to ${F.text.metres(far)}`);
      const sides = F.text.side(left) === F.text.side(right) ? F.text.side(left) : `${F.text.side(left)} to ${F.text.side(right)}`;
      summaries.set(source, [parts.join(" · "), sides]);
    }
    return summaries.get(source);
  }

  F.app = new App();
})((window.FoleyReport = window.FoleyReport || {}));
