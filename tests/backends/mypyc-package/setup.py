from mypyc.build import mypycify
from setuptools import setup

setup(
    name="by_package",
    version="1.0",
    packages=["by_package"],
    ext_modules=mypycify(["by_package/__init__.py", "by_package/sizes.py"]),
)
