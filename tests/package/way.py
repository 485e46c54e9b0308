#!/usr/bin/env python3
"""Builds a user's project in one of the ways to get at the library, and runs it.

  way.py WAY BUILD_DIR      BUILD_DIR is where the library was built; WAY is one of the functions below, or `install`,
                            which those need that begin with `installed`

Whatever is made lies in BUILD_DIR/tests/package."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
USER = SOURCE / "tests" / "package" / "user"
BUILD = pathlib.Path(sys.argv[2]).resolve()
WORK = BUILD / "tests" / "package"
PREFIX = WORK / "installed"
CACHE = dict(re.findall(r"^(\w+):\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M))
COMPILER = CACHE["CMAKE_CXX_COMPILER"]
SHARED = CACHE["BUILD_SHARED_LIBS"] == "ON"
VERSION = re.search(r"set\(PACKAGE_VERSION \"(.*)\"\)", (BUILD / "plex_activities-config-version.cmake").read_text())[1]
SONAME = f"libplex_activities.so.{'.'.join(VERSION.split('.')[:2])}"


def run(*command, fails_with=None, **options):
    print("+", *command, flush=True)
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if fails_with is None and done.returncode:
        sys.exit(f"{done.stdout}\nfailed with {done.returncode}")
    if fails_with is not None:
        assert done.returncode, f"{done.stdout}\nhad to fail"
        assert re.search(fails_with, done.stdout), f"{done.stdout}\nfailed, but said nothing of {fails_with!r}"
    return done.stdout


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def file_of(root, name):
    found = sorted(root.rglob(name))
    assert len(found) == 1, f"{name} in {root}: {found}"
    return found[0]


def check_user(program, prefix=None):
    environment = dict(os.environ)
    if prefix and SHARED:
        environment["LD_LIBRARY_PATH"] = str(file_of(prefix, SONAME).parent)
    said = run(program, env=environment)
    assert said == f"works with plex-activities {VERSION}\n", said
    linked = run("readelf", "-d", program)
    assert (SONAME in linked) == SHARED, linked


def with_cmake(way, folder, *settings, build=True, **options):
    run("cmake", "-G", "Ninja", "-S", USER, "-B", fresh(folder), f"-DWAY={way}", f"-DCMAKE_CXX_COMPILER={COMPILER}",
        f"-DCMAKE_BUILD_TYPE={CACHE['CMAKE_BUILD_TYPE']}", *settings, **options)
    if build:
        run("cmake", "--build", folder)


def with_sources(way):
    """The libraries are compiled again with PLEX_TEST_LONG alone; else the program is linked, as its project would, with those
    that are there."""
    folder = WORK / way
    with_cmake(way, folder, f"-DPLEX_SOURCE={SOURCE}", f"-DBUILD_SHARED_LIBS={CACHE['BUILD_SHARED_LIBS']}", build=False)
    targets = run("cmake", "--build", folder, "--target", "help")
    for unwanted in ("unit:", "plex-activities:", "example_list:", "bench:"):
        assert f"\n{unwanted}" not in targets, f"a user's project has our target {unwanted}"
    if os.environ.get("PLEX_TEST_LONG"):
        run("cmake", "--build", folder)
    else:
        run("cmake", "--build", folder, "--target", "CMakeFiles/user.dir/main.cpp.o")
        link = run("ninja", "-C", folder, "-t", "commands", "user").splitlines()[-1]
        libraries = sorted(set(re.findall(r"\S*libplex_\w+\.(?:a|so)[.0-9]*(?=\s|$)", link)))
        assert len(libraries) == 2, link
        for library in libraries:
            (folder / library).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(BUILD / pathlib.Path(library).name, folder / library)
            if SONAME in library:
                shutil.copy(folder / library, (folder / library).with_name(SONAME))
        run("sh", "-c", link, cwd=folder)
    check_user(folder / "user")
    fresh(folder)


def install():
    """`cmake --install` of what is built, as the test `package.install`; the ways that begin with `installed` take that."""
    run("cmake", "--install", BUILD, "--prefix", fresh(PREFIX))


def versions():
    """What cannot take the version from plex/version.hpp agrees with it."""
    minor = VERSION.rpartition(".")[0]
    for file, text in (("CHANGELOG.md", f"## {VERSION} "), ("README.md", f"find_package(plex_activities {minor} "),
                       ("README.md", f"`libplex-activities{minor}`"),
                       ("packaging/vcpkg/ports/plex-activities/vcpkg.json", f'"version-semver": "{VERSION}"')):
        assert text in (SOURCE / file).read_text(), f"{file} has no {text!r}"
    # A port of Boost is one of its libraries.
    port = (SOURCE / "packaging/vcpkg/ports/plex-activities/vcpkg.json").read_text()
    sources = [file for folder in ("include", "src") for file in (SOURCE / folder).rglob("*.?pp")] + [*(SOURCE / "tools").glob("*.?pp")]
    used = {part for file in sources for part in re.findall(r"^#include <boost/(\w+)/", file.read_text(), re.M)}
    assert len(used) > 5, used
    for part in used:
        assert f'"boost-{part}"' in port, f"vcpkg.json lacks boost-{part}"


def add_subdirectory():
    with_sources("add_subdirectory")


def fetch_content():
    with_sources("fetch_content")


def installed_find_package():
    with_cmake("find_package", WORK / "find_package", f"-DCMAKE_PREFIX_PATH={PREFIX}")
    check_user(WORK / "find_package" / "user")


def compile_with_pkg_config(prefix, program, *sources, standard="c++20"):
    environment = dict(os.environ, PKG_CONFIG_PATH=str(file_of(prefix, "plex_activities.pc").parent))
    assert run("pkg-config", "--modversion", "plex_activities", env=environment).strip() == VERSION
    flags = run("pkg-config", "--cflags", "--libs", "plex_testing", "plex_activities", env=environment).split()
    run(COMPILER, f"-std={standard}", *sources, *flags, "-o", program)


def installed_later_standard():
    """A user's C++23 takes the headers, and the library that C++20 made."""
    compile_with_pkg_config(PREFIX, WORK / "with_later_standard", USER / "main.cpp", standard="c++23")
    check_user(WORK / "with_later_standard", PREFIX)


def installed_pkg_config():
    """From another folder than it was installed in: what is installed names none of this machine's."""
    elsewhere = fresh(WORK / "elsewhere")
    shutil.copytree(PREFIX, elsewhere, symlinks=True)
    for file in elsewhere.rglob("*"):
        if file.suffix in (".cmake", ".pc"):
            for folder in (str(SOURCE), str(BUILD)):
                assert folder not in file.read_text(), f"{file} names {folder}"
    compile_with_pkg_config(elsewhere, WORK / "with_pkg_config", USER / "main.cpp")
    check_user(WORK / "with_pkg_config", elsewhere)


def installed_another_boost():
    """A program that was compiled with another Boost does not link, and CMake does not take another Boost."""
    with tempfile.TemporaryDirectory() as scratch:
        headers = pathlib.Path(scratch) / "include" / "boost"
        headers.mkdir(parents=True)
        library = file_of(PREFIX, "libplex_activities.so" if SHARED else "libplex_activities.a")
        # Also where the linker drops what nothing refers to.
        command = [COMPILER, "-std=c++20", "-O2", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", f"-I{PREFIX}/include",
                   SOURCE / "tests" / "package" / "another_boost.cpp", library, "-o", f"{scratch}/program"]
        run(*command)
        (headers / "version.hpp").write_text('#define BOOST_VERSION 199900\n#define BOOST_LIB_VERSION "1_999"\n')
        run(*command, f"-I{headers.parent}", fails_with="undefined (reference|symbol).*plex_built_with_boost_1_999")

    config = file_of(PREFIX, "plex_activities-config.cmake")
    asked = re.search(r"find_dependency\(Boost ([0-9.]+) EXACT", config.read_text())
    assert asked and asked[1].count(".") == 2, "the configuration asks for the very Boost"
    # No other Boost is at hand, so the installed configuration asks for another one here.
    other = fresh(WORK / "other")
    shutil.copytree(PREFIX, other, symlinks=True)
    file_of(other, config.name).write_text(config.read_text().replace(f"{asked[1]} EXACT", "1.80.0 EXACT"))
    with_cmake("find_package", WORK / "find_package_other", f"-DCMAKE_PREFIX_PATH={other}", build=False,
               fails_with=r'exact version\s+"1.80.0"')


def installed_interface():
    """A shared library has a versioned soname, and shows what is declared with PLEX_API and nothing else of ours."""
    library = file_of(PREFIX, f"libplex_activities.so.{VERSION}")
    assert f"Library soname: [{SONAME}]" in run("readelf", "-d", library)
    shown = [line.split(maxsplit=2)[2] for line in run("nm", "-DC", "--defined-only", library).splitlines()]
    # Those of Boost and of the standard library, their templates with arguments of ours too, are none of ours.
    prefix = "^(typeinfo (name )?for |vtable for |guard variable for )?"
    ours = sorted({name for name in shown if re.match(prefix + "plex", name)})
    inside = [name for name in ours if re.match(prefix + r"plex::(detail|net|protocol|sync)::(?!start_|share\()", name)]
    assert not inside, "\n".join(inside)
    for wanted in ("typeinfo for plex::error", "vtable for plex::error", "plex_built_with_boost_" ):
        assert any(name.startswith(wanted) for name in ours), wanted
    print(f"{len(ours)} symbols of the interface, {len(shown)} in all")


def deb():
    """cpack makes three packages: what is in them, what they ask for; a user's project builds with what they hold.
    tests/package/clean_root.sh installs them."""
    packages = fresh(WORK / "debs")
    run("cpack", "-G", "DEB", "-B", packages, cwd=BUILD)
    root = fresh(WORK / "unpacked")
    fields = {}
    for package in packages.glob("*.deb"):
        run("dpkg-deb", "-x", package, root)
        said = run("dpkg-deb", "--field", package)
        fields[re.search("^Package: (.*)$", said, re.M)[1]] = said
        assert re.search(f"^Version: {VERSION}$", said, re.M), said
    library = f"libplex-activities{SONAME.split('.so.')[1]}"
    assert set(fields) == {library, "libplex-activities-dev", "plex-activities"}, set(fields)
    for package, wanted in ((library, ("libboost-json1", "libssl3", "libstdc++6")), ("plex-activities", ("libboost-json1", "libssl3")),
                            ("libplex-activities-dev", (f"{library} (= {VERSION})", "libboost-json1", "libssl-dev"))):
        for name in wanted:
            assert name in re.search("^Depends: (.*)$", fields[package], re.M)[1], f"{package} asks for {name}: {fields[package]}"
        for document in ("copyright", "CHANGELOG.md"):
            assert (root / "usr/share/doc" / package / document).is_file(), f"{package} has its {document}"
    for page in ("man/man1/plex-activities.1.gz", "bash-completion/completions/plex-activities", "zsh/vendor-completions/_plex-activities"):
        assert (root / "usr/share" / page).is_file(), page
    for program in ("plex-activities", "plex-dashboard", "plex-relay", "plex-mqtt"):
        assert run(root / "usr/bin" / program, "--version") == f"{VERSION}\n"
    for service in ("plex-dashboard", "plex-relay", "plex-mqtt"):
        unit = (root / f"lib/systemd/system/{service}.service").read_text()
        assert f"ExecStart=/usr/bin/{service} " in unit, unit
    assert (root / "usr/lib/sysusers.d/plex-activities.conf").is_file() or (root / "lib/sysusers.d/plex-activities.conf").is_file()
    for name in ("libhiredis", "libpaho-mqtt", "libprometheus-cpp-core"):
        assert name in re.search("^Depends: (.*)$", fields["plex-activities"], re.M)[1], fields["plex-activities"]
    with_cmake("find_package", WORK / "find_package_deb", f"-DCMAKE_PREFIX_PATH={root}/usr")
    check_user(WORK / "find_package_deb" / "user")
    compile_with_pkg_config(root / "usr", WORK / "with_pkg_config_deb", USER / "main.cpp")
    check_user(WORK / "with_pkg_config_deb", root / "usr")


ways = {name: way for name, way in globals().items() if callable(way) and getattr(way, "__module__", "") == "__main__"}
ways[sys.argv[1]]()
