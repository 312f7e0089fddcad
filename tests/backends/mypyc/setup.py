from mypyc.build import mypycify
from setuptools import setup

setup(name="by_mypyc", version="1.0", py_modules=[], ext_modules=mypycify(["by_mypyc.py"]))
