"""Writes the data of sysconfig for the Python in the guest, from the results of configure and make.

usage: sysconfigdata.py INPUT OUTPUT EXT_SUFFIX FOREIGN...

Variables with one of the FOREIGN strings, which are paths of the build machine, are left out: the paths do not exist at
run time. The tools have the names that an extension's build finds.
"""

import sys

COMPILE = "-fno-strict-overflow -DNDEBUG -O2 -Wall"


def tools(suffix):
    return {
        "AR": "pymode ar",
        "ARFLAGS": "rcs",
        "BASECFLAGS": "-fno-strict-overflow",
        "BLDSHARED": "pymode cc -shared",
        "CC": "pymode cc",
        "CCSHARED": "-fPIC",
        "CFLAGS": COMPILE,
        "CONFIGURE_CFLAGS": "",
        "CPP": "pymode cc -E",
        "CPPFLAGS": "",
        "CXX": "pymode c++",
        "EXT_SUFFIX": suffix,
        "LDCXXSHARED": "pymode c++ -shared",
        "LDFLAGS": "",
        "LDSHARED": "pymode cc -shared",
        "LIBS": "",
        "LINKCC": "pymode cc",
        "OPT": "-DNDEBUG -O2 -Wall",
        "PY_CFLAGS": COMPILE,
        "RANLIB": "pymode ranlib",
        "SHLIB_SUFFIX": ".wasm",
        "SOABI": suffix.removeprefix(".").removesuffix(".wasm"),
    }


def clean(value):
    """`--prefix=/` makes `//lib` of `${prefix}/lib`."""
    return value.replace("//", "/") if isinstance(value, str) and value.startswith("//") else value


def main(source, target, suffix, *foreign):
    namespace = {}
    with open(source, encoding="utf-8") as file:
        exec(file.read(), namespace)
    found = {
        name: clean(value)
        for name, value in namespace["build_time_vars"].items()
        if not (isinstance(value, str) and any(word in value for word in foreign))
    }
    found.update(tools(suffix))
    with open(target, "w", encoding="utf-8") as file:
        file.write("# system configuration generated and used by the sysconfig module\nbuild_time_vars = {\n")
        for name in sorted(found):
            file.write(f"    {name!r}: {found[name]!r},\n")
        file.write("}\n")


main(*sys.argv[1:])
