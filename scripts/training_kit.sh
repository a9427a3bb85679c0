#!/usr/bin/env bash
# Everything that a bare machine needs to train, in one folder that travels: the tree, small wheels, packed patches.
# Usage: scripts/training_kit.sh KIT [PACKED_PATCHES]
# The machine itself brings Python, PyTorch, NumPy, SciPy, scikit-image, Matplotlib. There:
#   python -m pip install --no-index --no-deps --find-links wheels wheels/*.whl
#   cd tree && python -m monai_cardiac_gan.training.run --minutes 10 --data ../packed.zip --output OUT
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
kit=$(mkdir -p "$1" && cd "$1" && pwd)
python=${PYTHON:-python3}
version=${KIT_PYTHON:-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')}
packages=(monai pytorch-ignite nibabel fire termcolor tqdm filelock loky cloudpickle psutil jinja2 markupsafe imageio jsonschema
    jsonschema-specifications referencing rpds-py attrs packaging typing-extensions)

rm -rf "$kit/tree" "$kit/wheels"
mkdir -p "$kit/tree" "$kit/wheels"
# the weights that ship are what is to be replaced
git -C "$root" archive HEAD monai_cardiac_gan bundles benchmarks setup.cfg pyproject.toml LICENSE README.md \
    ':(exclude)bundles/*/models/*' | tar -x -C "$kit/tree"
"$python" -m pip download --quiet --no-deps --only-binary :all: --python-version "$version" --dest "$kit/wheels" \
    --constraint "$root/constraints.txt" "${packages[@]}"
if [ $# -gt 1 ]; then
    cp "$2" "$kit/packed.zip"
fi
du -sh "$kit"/* && du -sh "$kit"
