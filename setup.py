"""Finds the packages: `find:` in setup.cfg cannot, because the folder `apps` has another name."""

from setuptools import find_packages, setup

apps = find_packages(include=["apps", "apps.*"])
setup(
    packages=[
        *find_packages(include=["kerascnn", "kerascnn.*"]),
        *(f"kerascnn_{name}" for name in apps),
    ]
)
