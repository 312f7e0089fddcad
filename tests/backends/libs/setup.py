"""A package with a shared library of its own in `NAME.libs`, as repaired wheels have them. What NAME is, and what the library says, stands in
`which.txt`."""

import os
import subprocess

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

with open("which.txt", encoding="utf-8") as file:
    NAME, ANSWER = file.read().split()


class WithLibrary(build_ext):
    def run(self):
        libs = os.path.join(self.build_lib, f"{NAME}.libs")
        os.makedirs(libs, exist_ok=True)
        library = os.path.join(libs, "libshared.so")
        subprocess.run([os.environ["CC"], "-shared", f"-DANSWER={ANSWER}", "shared.c", "-o", library], check=True)
        for extension in self.extensions:
            extension.library_dirs = [libs]
        super().run()


setup(
    name=NAME,
    version="1.0",
    packages=[NAME],
    cmdclass={"build_ext": WithLibrary},
    ext_modules=[
        Extension(
            f"{NAME}._c",
            ["module.c"],
            libraries=["shared"],
            extra_link_args=[f"-Wl,-rpath,$ORIGIN/../{NAME}.libs"],
        )
    ],
)
