"""The hook that compiles: hatchling itself knows nothing of compilers."""

import os
import sysconfig

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        asked = sysconfig.get_config_var("SIZEOF_LONG")
        module = Extension("by_hatch", ["module.c"], define_macros=[("ASKED", str(asked))])
        build = Distribution({"ext_modules": [module]}).get_command_obj("build_ext")
        build.inplace = True
        build.ensure_finalized()
        build.run()
        file = build.get_ext_fullpath("by_hatch")
        build_data["force_include"][file] = os.path.basename(file)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
