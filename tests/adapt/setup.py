from setuptools import Extension, setup

setup(
    name="adapted",
    version="1.0",
    ext_modules=[
        Extension(
            "called_c",
            ["called.c"],
            define_macros=[("NAME", "called_c")],
            extra_compile_args=["-Wno-incompatible-function-pointer-types"],
        ),
        Extension("called_cxx", ["called.cc"], define_macros=[("NAME", "called_cxx")]),
    ],
)
