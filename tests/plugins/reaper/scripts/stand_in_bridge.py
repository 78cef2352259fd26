"""Stands in for the bridge where only the scripts are tested: answers a job folder at once, or misbehaves as told.

What it is to do stands in ``behaviour.json`` beside it: ``mode`` (ok, error, one_fails, silent, dies, slow, odd),
``capabilities``, ``sources``. What it was asked is appended to ``requests.jsonl`` beside it.
"""

import json
import os
import sys
import time
from pathlib import Path

HERE = Path(sys.argv[0]).resolve().parent


def write(folder: Path, name: str, content: object) -> None:
    (folder / f".{name}").write_text(json.dumps(content), encoding="utf-8")
    os.replace(folder / f".{name}", folder / name)


def render(item: dict, request: dict, folder: Path) -> dict:
    """Make a sound whose left channel is the item's first channel and whose right channel is half of it."""
    import numpy as np
    import soundfile

    rate_hz, n_samples = request["project_rate_hz"], item["n_samples"]
    n_samples += round(request["settings"].get("tail_s", 0) * rate_hz)
    channels = {"foa": 4, "hoa3": 16}.get(request["settings"].get("format"), 2)
    sound = item.get("sound")
    if sound is None:
        mono = np.zeros(0)
    elif "wav" in sound:
        mono = soundfile.read(folder / sound["wav"], always_2d=True)[0][:, 0]
    else:
        data, file_rate_hz = soundfile.read(sound["path"], always_2d=True)
        start = round(sound["start_s"] * file_rate_hz)
        mono = data[start : start + round(sound["duration_s"] * file_rate_hz), 0]
    out = np.zeros((n_samples, channels))
    kept = mono[:n_samples] * item.get("gain", 1.0)
    out[: len(kept), 0], out[: len(kept), 1] = kept, 0.5 * kept
    Path(request["output_folder"]).mkdir(exist_ok=True)
    number = len(list(Path(request["output_folder"]).iterdir()))
    path = Path(request["output_folder"]) / f"result {number}.wav"
    soundfile.write(path, out, rate_hz, subtype="FLOAT")
    return {"path": str(path), "n_channels": channels, "rate_hz": rate_hz, "n_samples": n_samples}


def main() -> None:
    folder = Path(sys.argv[1])
    behaviour = json.loads((HERE / "behaviour.json").read_text())
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    with (HERE / "requests.jsonl").open("a") as log:
        log.write(json.dumps(request) + "\n")
    mode = behaviour["mode"]
    if mode == "silent":
        return
    items = request["items"]
    progress = {
        "state": "running",
        "fraction": 0.1,
        "stage": "render",
        "item": 1,
        "items": len(items),
        "message": "render",
    }
    write(folder, "progress.json", {"seq": 1, **progress})
    if mode == "dies":
        (folder / "bridge.log").write_text("Traceback ...\nMemoryError: no memory\n")
        return
    response = {"foleyspace_mailbox": 1, "ok": True, "error": None, "items": [], "versions": {"foleyspace": "0.1.0"}}
    if mode == "odd":
        response["foleyspace_mailbox"] = 2
    seq = 1
    while mode == "slow" and folder.exists():
        if (folder / "cancel").exists():
            error = {"code": "cancelled", "message": "the job was cancelled", "cure": None}
            response |= {
                "ok": False,
                "error": error,
                "items": [{"id": i["id"], "ok": False, "error": error} for i in items],
            }
            write(folder, "response.json", response)
            return
        seq += 1
        write(folder, "progress.json", {"seq": seq, **progress})
        time.sleep(0.02)
        if (HERE / "go").exists():
            break
    if mode == "error":
        response |= {"ok": False, "error": {"code": "host_not_running", "message": "no host runs", "cure": "start one"}}
    elif request["kind"] == "check":
        response["capabilities"] = behaviour.get("capabilities", [])
    elif request["kind"] == "localize":
        for item in items:
            part = item["trajectory"]["video"]
            found = {"duration_s": part["duration_s"], "sources": behaviour.get("sources", [])}
            response["items"].append({"id": item["id"], "ok": True, "outputs": [], "trajectory": found, "warnings": []})
    else:
        for index, item in enumerate(items):
            if mode == "one_fails" and index == 0:
                error = {"code": "media_damaged", "message": "the file ends in the middle", "cure": "copy it again"}
                response["items"].append({"id": item["id"], "ok": False, "outputs": [], "error": error, "warnings": []})
                response["ok"] = False
                continue
            output = render(item, request, folder)
            warnings = behaviour.get("warnings", [])
            answer = {"id": item["id"], "ok": True, "outputs": [output], "warnings": warnings}
            if request["kind"] == "generate":
                answer["envelope"] = item.get("envelope") or behaviour.get("envelope")
            response["items"].append(answer)
    if folder.exists():
        write(folder, "response.json", response)


main()
