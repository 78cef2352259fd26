"""What Blender does while `blender_screenshot.py` takes pictures: a scene, work with the extension, pictures of it.

Runs in Blender's own Python, step by step from a timer, so that the window lives on as it does for a user. What a user
would click is called as an operator in the sequencer. `ticks.json` is left: how long the user interface was kept
waiting at most, without and with the extension at work.
"""

import json
import math
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

import bpy

WORK = Path(sys.argv[sys.argv.index("--") + 1])
SHOTS = WORK / "shots"
EXTENSION = "bl_ext.user_default.foleyspace"
FPS = 25
PATIENCE_S = 240.0
TICK_S = 0.002

ticks: dict[str, list[float]] = {}
phase = ""
last_tick = time.perf_counter()


def watch() -> None:
    """Measure what each tick of the extension takes: of time, and of the processor."""
    from importlib import import_module

    running = import_module(f"{EXTENSION}.running")
    step = running.Run.step

    def measured(run, *args):
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            return step(run, *args)
        finally:
            ticks.setdefault("step", []).append(time.perf_counter() - wall)
            ticks.setdefault("step, processor", []).append(time.thread_time() - cpu)

    running.Run.step = measured


def measure() -> float:
    """Note how long it was since the last tick of the user interface."""
    global last_tick
    now = time.perf_counter()
    if phase:
        ticks.setdefault(phase, []).append(now - last_tick)
    last_tick = now
    return TICK_S


# --- the window ---------------------------------------------------------------------------------------------------


def window() -> bpy.types.Window:
    """Return the only window; a timer has none in its context."""
    return bpy.context.window_manager.windows[0]


def area_of(kind: str) -> bpy.types.Area:
    """Return the area that shows a kind of editor."""
    return next(area for area in window().screen.areas if area.type == kind)


def override(area: bpy.types.Area, region: str = "WINDOW"):
    """Do as if the mouse were over an area."""
    found = next(one for one in area.regions if one.type == region)
    return bpy.context.temp_override(window=window(), area=area, region=found)


def arrange(*opened: str):
    """Above the view through the camera, below the sequencer with its sidebar, in which these panels are open."""
    for kind in ("OUTLINER", "PROPERTIES", "DOPESHEET_EDITOR", "SEQUENCE_EDITOR", "TEXT_EDITOR"):
        for area in [one for one in window().screen.areas if one.type == kind]:
            if len(window().screen.areas) > 1:
                with override(area):
                    bpy.ops.screen.area_close()
                yield 0.2
    for kind in [kind for kind in bpy.types.Panel.__subclasses__() if kind.__module__.startswith(EXTENSION)]:
        # a panel remembers whether it is open; one that was never drawn asks its class
        closed = getattr(kind, "bl_options", set()) - {"DEFAULT_CLOSED"}
        wanted = closed if kind.__name__ in opened else getattr(kind, "bl_options", set())
        if wanted != getattr(kind, "bl_options", set()):
            bpy.utils.unregister_class(kind)
            kind.bl_options = wanted
            bpy.utils.register_class(kind)
    only = window().screen.areas[0]
    only.type = "VIEW_3D"
    yield 0.2
    with override(area_of("VIEW_3D")):
        bpy.ops.screen.area_split(direction="HORIZONTAL", factor=0.64)
    yield 0.2
    min((one for one in window().screen.areas), key=lambda area: area.y).type = "SEQUENCE_EDITOR"
    yield 0.2
    with override(area_of("SEQUENCE_EDITOR")):
        space = bpy.context.space_data
        space.view_type = "SEQUENCER"
        space.show_region_ui = True
    with override(area_of("VIEW_3D")):
        view = bpy.context.space_data
        view.shading.color_type = "OBJECT"
        view.show_gizmo = view.show_region_toolbar = False
    yield 0.2


def show_tab() -> None:
    """Bring our tab to the front by taking the others away: which one is shown cannot be said from here."""
    others = [
        kind
        for kind in bpy.types.Panel.__subclasses__()
        if (getattr(kind, "bl_space_type", ""), getattr(kind, "bl_region_type", "")) == ("SEQUENCE_EDITOR", "UI")
        and getattr(kind, "bl_category", "") != "FoleySpace"
        and kind.is_registered
    ]
    for kind in sorted(others, key=lambda kind: not hasattr(kind, "bl_parent_id")):  # children first
        bpy.utils.unregister_class(kind)
    area_of("SEQUENCE_EDITOR").tag_redraw()


def fit() -> None:
    """Show all strips, and the camera's picture as large as it goes."""
    with override(area_of("SEQUENCE_EDITOR")):
        bpy.ops.sequencer.view_all()
    with override(area_of("VIEW_3D")):
        bpy.context.space_data.region_3d.view_perspective = "CAMERA"
        bpy.ops.view3d.view_center_camera()


def shoot(name: str) -> None:
    """Take a picture of the screen."""
    SHOTS.mkdir(exist_ok=True)
    subprocess.run(["import", "-window", "root", str(SHOTS / f"{name}.png")], check=True)


# --- the scene ----------------------------------------------------------------------------------------------------


def linear(item: bpy.types.Object) -> None:
    """Make movement even between keys."""
    from importlib import import_module

    for curve in import_module(f"{EXTENSION}.compat").fcurves_of(item):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def thing(name: str, primitive, colour: tuple[float, ...], **where) -> bpy.types.Object:
    """Add a mesh."""
    primitive(**where)
    item = bpy.context.object
    item.name, item.color = name, colour
    return item


def build() -> None:
    """Make a robot that walks past, a drone that circles above, and a camera that follows neither."""
    scene = window().scene
    scene.render.fps, scene.frame_end = FPS, 10 * FPS
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    mesh = bpy.ops.mesh
    thing("Ground", mesh.primitive_plane_add, (0.25, 0.28, 0.25, 1), size=60)
    for n in range(9):
        at = (-16 + 4 * n, 14 + 2 * (n % 3), 1.2)
        tower = thing(f"Tower {n}", mesh.primitive_cube_add, (0.35, 0.4, 0.5, 1), location=at)
        tower.scale = (0.8, 0.8, 1.2 + n % 4)
    robot = thing("Robot", mesh.primitive_monkey_add, (0.9, 0.45, 0.1, 1), size=1.6, location=(0, 7, 1.2))
    for frame, x in ((1, -5.0), (150, 5.0)):
        robot.location.x = x
        robot.keyframe_insert("location", frame=frame)
    drone = thing("Drone", mesh.primitive_torus_add, (0.1, 0.6, 0.9, 1), major_radius=0.6, minor_radius=0.15)
    for frame in range(1, 252, 10):
        angle = 2 * math.pi * frame / 200
        drone.location = (5 * math.sin(angle), 6 + 5 * math.cos(angle), 3.0)
        drone.keyframe_insert("location", frame=frame)
    linear(robot)
    linear(drone)
    data = bpy.data.cameras.new("Camera")
    camera = bpy.data.objects.new("Camera", data)
    camera.location, camera.rotation_euler = (0, 0, 1.7), (math.radians(90), 0, 0)
    data.angle = math.radians(75)
    scene.collection.objects.link(camera)
    scene.camera = camera
    bpy.context.view_layer.objects.active = robot
    for item in bpy.context.selected_objects:
        item.select_set(False)
    scene.frame_current = 60
    if hasattr(window().workspace, "sequencer_scene"):
        window().workspace.sequencer_scene = scene
    bpy.ops.wm.save_as_mainfile(filepath=str(WORK / "film.blend"))
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strips.new_sound("robot", "//robot.wav", 1, 1)
    strips.new_sound("drone", "//drone.wav", 2, 1)


def build_video() -> bpy.types.Scene:
    """Make a scene of the demo's clip: its picture and its sound as strips, and behind the camera's picture."""
    scene = bpy.data.scenes.new("Clip")
    scene.render.fps, scene.frame_end = FPS, 8 * FPS
    scene.render.resolution_x, scene.render.resolution_y = 854, 480
    data = bpy.data.cameras.new("Filming")
    camera = bpy.data.objects.new("Filming", data)
    camera.rotation_euler = (math.radians(90), 0, 0)
    data.angle = math.radians(60)
    clip = bpy.data.movieclips.load(str(WORK / "horse.mp4"))
    behind = data.background_images.new()
    behind.source, behind.clip, behind.alpha = "MOVIE_CLIP", clip, 1.0
    data.show_background_images = True
    scene.collection.objects.link(camera)
    scene.camera = camera
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strips.new_movie("horse", "//horse.mp4", 2, 1)
    strips.new_sound("horse sound", "//horse.mp4", 1, 1)
    scene.foleyspace.label = "horse"
    scene.frame_current = 80
    return scene


def show_scene(scene: bpy.types.Scene) -> None:
    """Show another scene in the window, and its strips in the sequencer."""
    window().scene = scene
    if hasattr(window().workspace, "sequencer_scene"):
        window().workspace.sequencer_scene = scene


def strip(name: str) -> bpy.types.ID:
    """Return a strip by its name."""
    editor = window().scene.sequence_editor
    return (editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all)[name]


def choose(*names: str) -> None:
    """Select strips; the first becomes the active one."""
    editor = window().scene.sequence_editor
    for one in editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all:
        one.select = one.name in names
    editor.active_strip = strip(names[0])


def press(operator, **options) -> None:
    """Call an operator as its button in the sidebar does."""
    with override(area_of("SEQUENCE_EDITOR"), "UI"):
        operator("INVOKE_DEFAULT", **options)


# --- what happens, in order; each yield gives the user interface some time -------------------------------------------


def working() -> bool:
    """Tell whether the extension is at work."""
    return bpy.context.window_manager.foleyspace.running


def until_done(name: str = ""):
    """Wait until the work is done; take a picture on the way."""
    global phase
    end, taken = time.monotonic() + PATIENCE_S, not name
    while working():
        if not taken and bpy.context.window_manager.foleyspace.fraction > 0.3:
            before, phase = phase, ""  # taking the picture is no part of what is measured
            yield 0.5
            if working():
                shoot(name)
            taken = True
            yield 0.05
            phase = before
        if time.monotonic() > end:
            raise TimeoutError(bpy.context.window_manager.foleyspace.message)
        yield 0.01
    if error := bpy.context.window_manager.foleyspace.error:
        raise RuntimeError(error)


def video():
    """Go the second way: a video is looked through, its sound is bound to what was found."""
    show_scene(build_video())
    yield from arrange("FOLEYSPACE_PT_localize")
    choose("horse")
    fit()
    yield 3.0
    press(bpy.ops.foleyspace.localize)
    yield from until_done("localizing")
    yield 1.0
    choose("horse sound")
    yield 0.5
    press(bpy.ops.foleyspace.spatialize)
    yield from until_done()
    choose("horse", "horse sound")
    found = next(item for item in window().scene.objects if item.type == "EMPTY")
    found.select_set(True)
    window().view_layer.objects.active = found
    fit()
    yield 5.0
    shoot("localize")


def the_rest():
    """Show what is not in the documentation: the other panels, and the preferences."""
    yield from arrange("FOLEYSPACE_PT_localize", "FOLEYSPACE_PT_generate")
    choose("horse")
    yield 2.0
    shoot("generate")
    rendering = ("rendering", "listener", "distance", "room", "output")
    window().scene.foleyspace.renderer = "diffusion"
    yield from arrange(*(f"FOLEYSPACE_PT_{name}" for name in rendering))
    with override(area_of("SEQUENCE_EDITOR")):
        bpy.ops.screen.screen_full_area()
    yield 2.0
    shoot("rendering")
    bpy.ops.preferences.addon_show(module=EXTENSION)
    yield 3.0
    shoot("preferences")


def story():
    """Do what an editor would do."""
    global phase
    watch()
    yield from arrange()
    build()
    fit()
    yield 1.0
    fit()
    show_tab()
    choose("robot")
    yield 2.0  # the extension finds the host
    phase = "idle"
    for _ in range(100):
        area_of("SEQUENCE_EDITOR").tag_redraw()
        yield 0.02
    phase = ""

    strip("robot").foleyspace.target = bpy.data.objects["Robot"]
    strip("drone").foleyspace.target = bpy.data.objects["Drone"]
    choose("robot")
    yield 2.0
    shoot("bound")
    phase = "at work"
    press(bpy.ops.foleyspace.spatialize)
    yield from until_done("progress")
    phase = ""
    yield 1.0
    fit()
    yield 0.5
    shoot("spatialize")

    phase = "at work"
    press(bpy.ops.foleyspace.spatialize_scene)
    yield from until_done()
    phase = ""
    choose("drone")
    yield 4.0  # waveforms are drawn in the background
    shoot("scene")

    yield from video()

    # again, without a view in three dimensions: drawing that takes long where there is no graphics card
    area_of("VIEW_3D").type = "TEXT_EDITOR"
    window().scene.foleyspace.only_changed = False
    yield 2.0
    phase = "idle, no view"
    for _ in range(100):
        area_of("SEQUENCE_EDITOR").tag_redraw()
        yield 0.02
    phase = "at work, no view"
    ticks.pop("step"), ticks.pop("step, processor")
    press(bpy.ops.foleyspace.spatialize_scene)
    yield from until_done()
    phase = ""
    if "--all" in sys.argv:
        yield from the_rest()


steps = story()


def go_on() -> float | None:
    """Take the next step; in the end, or if something is wrong, leave."""
    try:
        with bpy.context.temp_override(window=window()):
            return next(steps)
    except StopIteration:
        told = {
            name: {"n": len(gaps), "median_ms": sorted(gaps)[len(gaps) // 2] * 1e3, "largest_ms": max(gaps) * 1e3}
            for name, gaps in ticks.items()
        }
        (WORK / "ticks.json").write_text(json.dumps({"blender": bpy.app.version_string, **told}))
        bpy.ops.wm.quit_blender()
    except Exception:  # Blender would go on, and nobody could end it
        traceback.print_exc()
        sys.stderr.flush()
        subprocess.run(["import", "-window", "root", str(WORK / "wrong.png")], check=False)
        os._exit(3)
    return None


bpy.context.preferences.view.show_splash = False
bpy.context.preferences.view.ui_scale = 1.0
bpy.context.preferences.filepaths.use_auto_save_temporary_files = False
bpy.app.timers.register(go_on, first_interval=1.0)
bpy.app.timers.register(measure, first_interval=1.0)
