// A draft of the result in headphones: the browser's own head-related responses, led by the path as it is now.
(function (F) {
  "use strict";

  const GAIN_LIMIT_DB = 12; // of distance, as in rendering

  class Preview {
    constructor(video) {
      this.video = video;
      this.on = false;
      this.voices = new Map();
    }

    async toggle() {
      if (!this.context) this._build();
      await this.context.resume();
      this.on = !this.on;
      this.direct.gain.value = this.on ? 0 : 1;
      this.placed.gain.value = this.on ? 1 : 0;
      return this.on;
    }

    _build() {
      this.context = new AudioContext();
      this.input = this.context.createMediaElementSource(this.video);
      this.mono = new GainNode(this.context, { channelCount: 1, channelCountMode: "explicit" });
      this.direct = new GainNode(this.context);
      this.placed = new GainNode(this.context, { gain: 0 });
      this.input.connect(this.direct).connect(this.context.destination);
      this.input.connect(this.mono);
      this.placed.connect(this.context.destination);
    }

    // sources that sound: [{id, azimuth_deg, elevation_deg, distance_m, median_m, gain_db}]
    place(sources) {
      if (!this.on) return;
      for (const [id, voice] of this.voices) {
        if (!sources.some((source) => source.id === id)) {
          voice.gain.disconnect();
          voice.panner.disconnect();
          this.voices.delete(id);
        }
      }
      const now = this.context.currentTime;
      for (const source of sources) {
        if (!this.voices.has(source.id)) this.voices.set(source.id, this._voice());
        const { gain, panner } = this.voices.get(source.id);
        const [x, y, z] = F.space.unitOf(source.azimuth_deg, source.elevation_deg);
        // Web Audio looks along -z with x to the right and y up
        for (const [parameter, value] of [[panner.positionX, -y], [panner.positionY, z], [panner.positionZ, -x]]) {
          parameter.setTargetAtTime(value, now, 0.015);
        }
        const level_db = 20 * Math.log10(source.median_m / source.distance_m);
        const limited_db = Math.min(Math.max(level_db, -GAIN_LIMIT_DB), GAIN_LIMIT_DB) + source.gain_db;
        gain.gain.setTargetAtTime(10 ** (limited_db / 20), now, 0.015);
      }
    }

    _voice() {
      const gain = new GainNode(this.context);
      const panner = new PannerNode(this.context, { panningModel: "HRTF", rolloffFactor: 0 });
      this.mono.connect(gain).connect(panner).connect(this.placed);
      return { gain, panner };
    }
  }

  F.listen = { Preview };
})((window.FoleyReport = window.FoleyReport || {}));
