"""What the panels draw, told to a layout that writes it down and knows what Blender's would refuse."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from foleyspace import bindings, compat, connection, host_status, panels, preferences, running, settings_panels  # noqa: E402

SIZES = ("scale_y", "alignment", "use_property_split", "use_property_decorate", "active")


def icons():
    return set(bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys())


class Layout:
    """Writes down labels, fields and buttons; ``enabled`` and ``alert`` of what they lie in as well."""

    def __init__(self, book=None, enabled=True, alert=False):
        self.book = [] if book is None else book
        self.enabled, self.alert = enabled, alert
        self.icons = icons() if book is None else None

    def __setattr__(self, name, value):
        assert name in {"book", "enabled", "alert", "icons", *SIZES}, f"a layout has no {name}"
        object.__setattr__(self, name, value)

    def _inside(self, **_):
        inside = Layout(self.book, self.enabled, self.alert)
        inside.icons = self.icons
        return inside

    row = column = box = split = _inside

    def _write(self, kind, text, icon="NONE", **more):
        assert isinstance(text, str)
        assert icon in self.icons, f"there is no icon {icon}"
        self.book.append(SimpleNamespace(kind=kind, text=text, icon=icon, layout=self, **more))

    def separator(self, **_):
        pass

    def label(self, text="", icon="NONE"):
        self._write("label", text, icon)

    def prop(self, data, name, text=None, icon="NONE", expand=False, placeholder=""):
        self._write("field", data.bl_rna.properties[name].name if text is None else text, icon, name=name)

    def prop_enum(self, data, name, value):
        item = data.bl_rna.properties[name].enum_items[value]
        self._write("choice", item.name, name=name)

    def prop_search(self, data, name, search_data, search_name, text=None, icon="NONE"):
        assert data.bl_rna.properties[name]
        assert search_data.bl_rna.properties[search_name]
        self._write("field", text or "", icon, name=name)

    def operator(self, idname, text=None, icon="NONE", emboss=True):
        module, name = idname.split(".")
        kind = getattr(getattr(bpy.ops, module), name)
        self._write("button", kind.get_rna_type().name if text is None else text, icon, name=idname)
        return SimpleNamespace()

    def progress(self, factor, type, text):
        assert 0.0 <= factor <= 1.0
        assert type == "BAR"
        self._write("progress", text, factor=factor)

    def template_list(self, kind, _list_id, data, name, active_data, active_name, **_):
        assert hasattr(panels, kind)
        assert data.bl_rna.properties[name]
        assert active_data.bl_rna.properties[active_name].type == "INT"
        self._write("list", kind)


class Drawn:
    """What a panel drew."""

    def __init__(self, panel, method="draw"):
        layout = Layout()

        class Panel:
            def __getattr__(self, name):
                if name == "layout":
                    return layout
                found = inspect.getattr_static(panel, name)
                return found.__get__(self, panel) if hasattr(found, "__get__") else found

        getattr(Panel(), method)(bpy.context)
        self.book = layout.book

    def texts(self, kind=None):
        return [one.text for one in self.book if kind in (None, one.kind)]

    def one(self, text):
        return next(one for one in self.book if one.text == text)

    def field(self, name):
        return next((one for one in self.book if getattr(one, "name", None) == name), None)

    @property
    def prose(self):
        return " ".join(self.texts("label"))


@pytest.fixture(autouse=True)
def host_is_there(studio):
    shown = bpy.context.window_manager.foleyspace
    shown.host_state, shown.error, shown.host_problem = "READY", "", ""
    connection.current().capabilities = {}
    yield shown
    shown.host_state, shown.error, shown.host_problem = "UNKNOWN", "", ""
    connection.close()
    running.cancel()


@pytest.fixture
def strip(studio):
    made = studio.strip(studio.sound(studio.noise(1.0)))
    select(studio, made)
    return made


def select(studio, *strips):
    for other in compat.every(studio.scene.sequence_editor):
        other.select = any(other == one for one in strips)
    studio.scene.sequence_editor.active_strip = strips[0] if strips else None


# --- the main panel ----------------------------------------------------------------------------------------------


def test_nothing_is_selected(studio):
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert "Select a Sound Strip" in drawn.texts("label")
    assert not drawn.one("Spatialize").layout.enabled


def test_a_strip_without_an_object(studio, strip):
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert strip.name in drawn.texts("label")
    assert drawn.field("target") is not None
    assert drawn.field("gain_db") is None, "there is nothing to set yet"
    assert not drawn.one("Spatialize").layout.enabled


def test_a_bound_strip(studio, strip):
    studio.bind(strip, studio.thing("Car"))
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert drawn.field("target").icon == "OUTLINER_OB_EMPTY"
    assert drawn.field("gain_db")
    assert drawn.field("listener")
    assert drawn.field("bone") is None
    assert drawn.one("Not Rendered").icon == "RADIOBUT_OFF"
    assert Drawn(panels.FOLEYSPACE_PT_main, "draw_header_preset").field("preferences.addon_show")


@pytest.mark.parametrize("kind", ["MESH", "ARMATURE", "CAMERA", "LIGHT", "SPEAKER", "CURVE", "FONT", "EMPTY"])
def test_every_kind_of_object_has_its_icon(studio, strip, kind):
    data = {
        "MESH": lambda: bpy.data.meshes.new("x"),
        "ARMATURE": lambda: bpy.data.armatures.new("x"),
        "CAMERA": lambda: bpy.data.cameras.new("x"),
        "LIGHT": lambda: bpy.data.lights.new("x", "POINT"),
        "SPEAKER": lambda: bpy.data.speakers.new("x"),
        "CURVE": lambda: bpy.data.curves.new("x", "CURVE"),
        "FONT": lambda: bpy.data.curves.new("x", "FONT"),
        "EMPTY": lambda: None,
    }[kind]()
    studio.bind(strip, bpy.data.objects.new("thing", data))
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert drawn.field("target").icon == f"OUTLINER_OB_{kind}"
    assert (drawn.field("bone") is not None) == (kind == "ARMATURE")


def test_every_type_of_object_that_blender_has_has_an_icon():
    from foleyspace import drawing

    known = icons()
    for item in bpy.types.Object.bl_rna.properties["type"].enum_items:
        assert drawing.icon_of(SimpleNamespace(type=item.identifier)) in known


def test_several_strips(studio, strip):
    other = studio.strip(studio.sound(studio.noise(1.0), "other.wav"), frame=50)
    select(studio, strip, other)
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert "Spatialize 2 Strips" in drawn.texts("button")
    assert "+1" in drawn.texts("label")


def test_a_strip_that_failed_says_why(studio, strip):
    studio.bind(strip, studio.thing())
    bindings.mark(strip, "FAILED", "The sound is missing; find it again")
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert "The sound is missing" in drawn.prose
    assert next(one for one in drawn.book if one.text.startswith("The sound")).layout.alert


def test_a_result_names_its_source(studio, strip):
    studio.bind(strip, studio.thing())
    made = studio.strip(studio.folder / "steps.wav", channel=2, name="made")
    bindings.link_result((studio.scene, strip), (studio.scene, made), "x", "y")
    select(studio, made)
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert f"Made from {strip.name}" in drawn.texts("label")
    assert drawn.field("target") is None


def test_a_result_whose_source_is_gone(studio, strip):
    strip.foleyspace.role = "RESULT"
    assert "Its source is gone" in Drawn(panels.FOLEYSPACE_PT_main).texts("label")


def test_a_movie_is_localized_first(studio, strip):
    movie = compat.top(studio.scene.sequence_editor).new_movie("ride", str(studio.folder / "x.mp4"), 3, 1)
    select(studio, movie)
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert drawn.field("foleyspace.localize").layout.enabled
    assert drawn.field("foleyspace.spatialize") is None
    bindings.ensure(studio.scene, movie)
    item = studio.thing("ride-1")
    item["foleyspace_movie"], item["foleyspace_source"] = movie.foleyspace.uuid, "ride-1"
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert "ride-1" in drawn.texts("label")
    assert drawn.field("foleyspace.select_object")


def test_other_strips_cannot_be_bound(studio, strip):
    meta = compat.top(studio.scene.sequence_editor).new_meta(name="meta", channel=4, frame_start=1)
    select(studio, meta)
    assert "Only sound strips can be bound" in Drawn(panels.FOLEYSPACE_PT_main).prose


# --- first run, and what goes on ---------------------------------------------------------------------------------


def test_not_installed(studio, strip, host_is_there):
    host_is_there.host_state = "MISSING"
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert drawn.one("FoleySpace Is Not Installed")
    assert host_status.INSTALL_COMMAND in drawn.texts("label")
    assert drawn.field("foleyspace.copy_command")
    assert not drawn.one("Spatialize").layout.enabled


def test_not_started(studio, strip, host_is_there):
    host_is_there.host_state = "STOPPED"
    studio.bind(strip, studio.thing())
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert drawn.one("Start").name == "foleyspace.connect"
    assert drawn.one("Spatialize").layout.enabled, "it is started when there is work"


def test_cannot_be_used(studio, strip, host_is_there):
    host_is_there.host_state, host_is_there.host_problem = "REFUSED", "the host speaks version 2 alone"
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert "version 2" in drawn.prose
    assert drawn.one("Try Again")
    assert not drawn.one("Spatialize").layout.enabled


def test_connecting(studio, host_is_there):
    host_is_there.host_state = "CONNECTING"
    assert "Connecting" in Drawn(panels.FOLEYSPACE_PT_main).prose


def test_all_is_well_is_not_worth_a_word(studio, host_is_there):
    for state in ("READY", "UNKNOWN"):
        host_is_there.host_state = state
        assert "ost" not in Drawn(panels.FOLEYSPACE_PT_main).prose


def test_progress_has_a_button_to_cancel(studio, strip, host_is_there):
    link = SimpleNamespace(state="running", fraction=0.42, message="Rendering", error="", finished=False)
    link.cancel = lambda: setattr(link, "finished", True)
    studio.bind(strip, studio.thing())
    running.start(running.Run("spatialize", link))
    drawn = Drawn(panels.FOLEYSPACE_PT_main)
    assert drawn.texts("progress") == ["42%"]
    assert "Rendering" in drawn.texts("label")
    assert drawn.field("foleyspace.cancel")
    assert drawn.field("foleyspace.spatialize") is None
    assert not Drawn(panels.FOLEYSPACE_PT_bindings).field("foleyspace.spatialize_scene").layout.enabled


def test_the_last_error_stands_below_the_button(studio, strip, host_is_there):
    host_is_there.error = "The host ended"
    assert "The host ended" in Drawn(panels.FOLEYSPACE_PT_main).prose


# --- the list ----------------------------------------------------------------------------------------------------


def test_no_binding_yet(studio, strip):
    drawn = Drawn(panels.FOLEYSPACE_PT_bindings)
    assert "No strip is bound yet" in drawn.prose
    assert not drawn.texts("list")


def test_the_list(studio, strip):
    studio.bind(strip, studio.thing())
    drawn = Drawn(panels.FOLEYSPACE_PT_bindings)
    assert drawn.texts("list") == ["FOLEYSPACE_UL_bindings"]
    assert drawn.one("Update Scene").name == "foleyspace.spatialize_scene"
    studio.scene.foleyspace.only_changed = False
    assert Drawn(panels.FOLEYSPACE_PT_bindings).one("Render Scene")
    assert Drawn(panels.FOLEYSPACE_PT_bindings, "draw_header_preset").texts() == ["0/1"]


def test_the_first_error_stands_below_the_list(studio, strip):
    studio.bind(strip, studio.thing())
    bindings.mark(strip, "FAILED", "It is retimed")
    select(studio)
    assert f"{strip.name}: It is retimed" in Drawn(panels.FOLEYSPACE_PT_bindings).prose


@pytest.mark.parametrize(("state", "icon"), [("BOUND", "RADIOBUT_OFF"), ("DONE", "CHECKMARK"), ("FAILED", "ERROR")])
def test_a_row(studio, strip, state, icon):
    studio.bind(strip, studio.thing("Car"))
    strip.foleyspace.state = state
    layout = Layout()
    panels.FOLEYSPACE_UL_bindings.draw_item(None, bpy.context, layout, None, strip, 0, None, "")
    assert [(one.text, one.icon) for one in layout.book] == [(strip.name, icon), ("Car", "OUTLINER_OB_EMPTY")]


def test_a_row_without_its_object(studio, strip):
    studio.bind(strip, studio.thing("Car"))
    strip.foleyspace.result_uuid = "x"
    bpy.data.objects.remove(bpy.data.objects["Car"])
    layout = Layout()
    panels.FOLEYSPACE_UL_bindings.draw_item(None, bpy.context, layout, None, strip, 0, None, "")
    assert [(one.text, one.icon) for one in layout.book] == [(strip.name, "ERROR"), ("No Object", "NONE")]


def test_a_row_that_is_worked_on(studio, strip):
    studio.bind(strip, studio.thing("Car"))
    link = SimpleNamespace(state="running", fraction=0.1, message="", error="", finished=False, cancel=lambda: None)
    running.start(running.Run("spatialize", link, uuids=[strip.foleyspace.uuid]))
    layout = Layout()
    panels.FOLEYSPACE_UL_bindings.draw_item(None, bpy.context, layout, None, strip, 0, None, "")
    assert layout.book[0].icon == "SORTTIME"


def test_only_sources_are_listed_in_order_of_time(studio, strip):
    compat.set_left(strip, 20)
    early = studio.strip(studio.folder / "steps.wav", frame=1, channel=3, name="early")
    studio.strip(studio.folder / "steps.wav", frame=5, channel=4, name="plain")
    studio.bind(strip, studio.thing())
    studio.bind(early, studio.thing())
    editor = studio.scene.sequence_editor
    name = "strips_all" if "strips_all" in editor.bl_rna.properties else "sequences_all"
    stub = SimpleNamespace(bitflag_filter_item=1 << 30, filter_name="")
    flags, order = panels.FOLEYSPACE_UL_bindings.filter_items(stub, bpy.context, editor, name)
    names = [one.name for one in compat.every(editor)]
    assert {names[n] for n, flag in enumerate(flags) if flag} == {strip.name, "early"}
    assert order[names.index("early")] < order[names.index(strip.name)]


# --- settings ----------------------------------------------------------------------------------------------------


def test_the_active_strips_error_is_said_once(studio, strip):
    studio.bind(strip, studio.thing())
    bindings.mark(strip, "FAILED", "It is retimed")
    assert "It is retimed" in Drawn(panels.FOLEYSPACE_PT_main).prose
    assert "It is retimed" not in Drawn(panels.FOLEYSPACE_PT_bindings).prose


def test_menus_offer_what_the_selected_strips_can_do(studio, strip):
    from foleyspace import menus

    layout = Layout()
    menus._draw(SimpleNamespace(layout=layout), bpy.context)
    assert [one.name for one in layout.book] == ["foleyspace.bind_object", "foleyspace.spatialize"]
    strip.select = False
    layout = Layout()
    menus._draw(SimpleNamespace(layout=layout), bpy.context)
    assert layout.book == []


@pytest.mark.parametrize("panel", settings_panels.CLASSES)
def test_every_panel_draws(studio, strip, panel):
    assert Drawn(panel).book


def test_generate_is_greyed_with_the_reason(studio):
    connection.current().capabilities = {"generate": {"available": False, "reason": "this version makes no sound"}}
    drawn = Drawn(settings_panels.FOLEYSPACE_PT_generate)
    assert drawn.texts("label")[0] == "This version makes no sound"
    assert drawn.book[0].layout.enabled
    assert not drawn.one("Generate Foley").layout.enabled
    assert not drawn.field("prompt").layout.enabled


def test_an_engine_that_cannot_be_used_says_why_and_can_be_asked_again(studio):
    panel = settings_panels.FOLEYSPACE_PT_generate
    drawn = Drawn(panel)
    assert drawn.field("engine").layout.enabled
    assert drawn.field("foleyspace.connect") is None
    connection.current().capabilities = {
        "generate": {"available": True},
        "engine:foley": {"available": True},
        "engine:mmaudio": {"available": False, "reason": "its licence was not accepted: GPL", "cure": "read it"},
    }
    studio.scene.foleyspace.engine = "mmaudio"
    drawn = Drawn(panel)
    assert "Its licence was not accepted: GPL; read it" in drawn.prose
    assert drawn.field("foleyspace.connect").layout.enabled


def test_unused_sounds_are_removed_where_the_folder_is_named(studio):
    assert Drawn(settings_panels.FOLEYSPACE_PT_output).one("Remove Unused Sounds").name == "foleyspace.remove_unused"


def test_a_generated_strip_shows_its_words_and_its_loudness(studio, strip):
    panel = settings_panels.FOLEYSPACE_PT_generate
    assert Drawn(panel).field("foleyspace_level_db") is None
    strip.foleyspace.made_for = '{"duration_s": 1.0}'
    strip.select = True
    studio.scene.sequence_editor.active_strip = strip
    strip.foleyspace.made_by = "Foley, licence: free"
    drawn = Drawn(panel)
    assert "Made by Foley, licence: free" in drawn.prose
    assert drawn.field("foleyspace_level_db").layout.enabled
    assert drawn.field("follow_curve").layout.enabled
    assert drawn.one("Generate Again").layout.enabled


def test_renderers_are_greyed_one_by_one(studio):
    connection.current().capabilities = {
        "format:binaural": {"available": True},
        "renderer:hrtf": {"available": True},
        "renderer:diffusion": {"available": False, "reason": "no model"},
    }
    drawn = Drawn(settings_panels.FOLEYSPACE_PT_rendering)
    assert drawn.one("HRTF").layout.enabled
    assert not drawn.one("Diffusion").layout.enabled
    assert "No model" in drawn.prose


def test_fields_that_do_not_matter_are_not_shown(studio):
    chosen = studio.scene.foleyspace
    rendering, room = settings_panels.FOLEYSPACE_PT_rendering, settings_panels.FOLEYSPACE_PT_room
    assert Drawn(rendering).field("quality") is None
    assert Drawn(rendering).field("hrtf")
    chosen.renderer = "diffusion"
    assert Drawn(rendering).field("quality")
    chosen.format = "foa"
    drawn = Drawn(rendering)
    assert drawn.field("renderer") is None
    assert drawn.field("hrtf") is None
    assert "muted" in drawn.prose
    assert Drawn(room).field("room_custom") is None
    chosen.room = "CUSTOM"
    assert Drawn(room).field("room_custom")


def test_unsaved_files_say_where_results_go(studio):
    assert "saved" in Drawn(settings_panels.FOLEYSPACE_PT_output).prose
    studio.save()
    assert "saved" not in Drawn(settings_panels.FOLEYSPACE_PT_output).prose


def test_preferences_show_what_the_host_can_do(studio, host_is_there):
    connection.current().capabilities = {
        "render": {"available": True},
        "format:foa": {"available": True},
        "device:cpu": {"available": True},
        "generate": {"available": False, "reason": "not yet"},
    }
    host_is_there.host_version = "1.2.3"
    layout = Layout()
    fields = {name: SimpleNamespace(name=name) for name in ("profile", "start_host", "command")}
    chosen = SimpleNamespace(layout=layout, bl_rna=SimpleNamespace(properties=fields))
    preferences.FOLEYSPACE_AP_preferences.draw(chosen, bpy.context)
    texts = [one.text for one in layout.book]
    assert "FoleySpace 1.2.3: Ready" in texts
    assert "Test Connection" in texts
    assert host_status.INSTALL_COMMAND in texts
    assert {"Spatialize", "Format: Ambisonic 1st Order", "Models Run On: cpu"} <= set(texts)
    assert not next(one for one in layout.book if one.text == "Generate Foley: not yet").layout.enabled


def test_labels_are_title_case_and_tooltips_have_no_full_stop():
    """The style guide of Blender's user interface."""
    from foleyspace import operators, props

    small = {"a", "an", "the", "of", "to", "in", "from", "and", "for", "without", "is", "by", "s"}
    for each in (*props.CLASSES, *operators.CLASSES, *preferences.CLASSES):
        rna = each.bl_rna
        if issubclass(each, bpy.types.Operator):
            rna = getattr(bpy.ops.foleyspace, each.bl_idname.removeprefix("foleyspace.")).get_rna_type()
        for prop in (rna.properties[name] for name in inspect.get_annotations(each)):
            words = [word for word in prop.name.replace("'", " ").split() if word.isalpha() and word not in small]
            assert all(word[0].isupper() for word in words), prop.name
            assert not prop.description.endswith("."), prop.description
            for item in getattr(prop, "enum_items", ()):
                assert item.name[0].isupper() or item.name[0].isdigit(), item.name
                assert not item.description.endswith("."), item.description
        if text := getattr(each, "bl_description", ""):
            assert not text.endswith(".")
        if label := getattr(each, "bl_label", ""):
            assert all(word[0].isupper() for word in label.split() if word not in small), label
