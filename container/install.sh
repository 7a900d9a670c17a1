#!/bin/sh
# Installs gliomask into a new environment with the pinned versions and tries it. The Dockerfile and
# `make dist` run it, so an image is built by steps that CI has run.
#
#     sh install.sh SOURCE ENVIRONMENT [EXTRAS] [WHEEL]
#
# SOURCE       the checkout
# ENVIRONMENT  the folder to make
# EXTRAS       such as dicom,jpeg; none by default
# WHEEL        what to install instead of the checkout
set -eu
source=$1 environment=$2 extras=${3:-} wheel=${4:-$1}
python=${PYTHON:-python3}

"$python" -m venv "$environment"
"$environment/bin/python" -m pip --disable-pip-version-check --no-cache-dir install -q \
    -c "$source/constraints.txt" ${PIP_ARGS:-} "$wheel${extras:+[$extras]}"
"$environment/bin/python" "$source/container/try_installation.py"
