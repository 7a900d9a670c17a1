"""ONNX files of the authors' network, written by PyTorch, by names and by graph, or refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from gliomask.errors import ModelError
from gliomask.nets.foreign.read import read_foreign
from gliomask.nets.u2net import U2Net
from tests.nets.foreign.nets import answers, arrays_of, image, one_line, rebuilt, trained

EXPORTED = trained(channels=3)


class Authors(nn.Module):
    """The authors' network: plain convolutions as heads, a sigmoid behind each output."""

    def __init__(self, network: U2Net) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.sigmoid(one) for one in self.network(x))


def plain_heads(network: U2Net) -> U2Net:
    for k in range(1, 7):
        head = network.get_submodule(f"side{k}")
        weight = head.get_parameter("weight")
        plain = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
        plain.load_state_dict(head.state_dict())
        network.add_module(f"side{k}", plain)
    return network.eval()


def export(path: Path, folded: bool) -> Path:
    """As PyTorch's exporter writes it, batch norms folded into the convolutions or kept."""
    mode = torch.onnx.TrainingMode.EVAL if folded else torch.onnx.TrainingMode.PRESERVE
    network = plain_heads(trained(channels=3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of its own exporter
        torch.onnx.export(
            Authors(network).eval(),
            (torch.zeros(1, 3, 64, 64),),
            path,
            opset_version=11,
            dynamo=False,
            do_constant_folding=folded,
            training=mode,
        )
    return path


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("onnx") / "u2net.onnx", folded=True)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("onnx") / "u2net.onnx", folded=False)


def skip_first(kept: Path, path: Path, *, identity: bool) -> Path:
    """The same graph, each pair joined in the other order, perhaps with an Identity behind."""
    model = onnx.load(kept)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    for node in nodes:
        model.graph.node.append(node)
        if node.op_type != "Concat":
            continue
        joined = model.graph.node[-1]
        if len(joined.input) == 2:
            joined.input[:] = joined.input[::-1]
        if identity:
            output, joined.output[0] = joined.output[0], f"{joined.output[0]}_joined"
            model.graph.node.append(onnx.helper.make_node("Identity", [joined.output[0]], [output]))
    onnx.save(model, path)
    return path


def test_an_identity_behind_a_concatenation_keeps_its_order(kept: Path, tmp_path: Path) -> None:
    plain = read_foreign(skip_first(kept, tmp_path / "plain.onnx", identity=False)).arrays
    behind = read_foreign(skip_first(kept, tmp_path / "behind.onnx", identity=True)).arrays
    due = arrays_of(EXPORTED)
    assert sum(not np.array_equal(values, due[name]) for name, values in plain.items()) > 5
    for name, values in behind.items():
        np.testing.assert_array_equal(values, plain[name], name)


def test_kept_batch_norms_are_read_as_they_are(kept: Path) -> None:
    found = read_foreign(kept)
    assert (found.kind.spec.name, found.kind.in_channels, found.size) == ("u2net-tiny", 3, 64)
    assert (found.epsilon, found.proved) == (1e-5, True)
    due = arrays_of(EXPORTED)
    for name, values in found.arrays.items():
        np.testing.assert_array_equal(values, due[name], name)


def test_folded_batch_norms_give_the_same_answer(folded: Path) -> None:
    found = read_foreign(folded)
    assert (found.arrays["stage1.rebnconvin.bn_s1.weight"] == 1).all()
    due = answers(EXPORTED, image(3))
    assert np.ptp(due) > 1
    np.testing.assert_allclose(answers(rebuilt(found), image(3)), due, atol=1e-4 * np.ptp(due))


def test_names_are_of_no_importance(kept: Path, tmp_path: Path) -> None:
    """Exporters number what they fold: the graph tells which initialiser is which."""
    model = onnx.load(kept)
    names = {one.name: f"{k}" for k, one in enumerate(model.graph.initializer)}
    for one in model.graph.initializer:
        one.name = names[one.name]
    for node in model.graph.node:
        node.name = ""
        for k, source in enumerate(node.input):
            node.input[k] = names.get(source, source)
    onnx.save(model, tmp_path / "u2net.onnx")
    found = read_foreign(tmp_path / "u2net.onnx").arrays
    due = arrays_of(EXPORTED)
    assert all(np.array_equal(values, due[name]) for name, values in found.items())


def node_of(model: onnx.ModelProto, kind: str, place: int) -> onnx.NodeProto:
    nodes: list[onnx.NodeProto] = [one for one in model.graph.node if one.op_type == kind]
    return nodes[place]


def set_attribute(node: onnx.NodeProto, name: str, value: object) -> None:
    kept = [one for one in node.attribute if one.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, onnx.helper.make_attribute(name, value)])


def nearest(model: onnx.ModelProto) -> None:
    set_attribute(node_of(model, "Resize", 4), "mode", "nearest")


def aligned_corners(model: onnx.ModelProto) -> None:
    set_attribute(node_of(model, "Resize", 4), "coordinate_transformation_mode", "align_corners")


def leaky(model: onnx.ModelProto) -> None:
    node_of(model, "Relu", 9).op_type = "LeakyRelu"


def other_dilation(model: onnx.ModelProto) -> None:
    node = node_of(model, "Conv", 7)
    set_attribute(node, "dilations", [1, 1])
    set_attribute(node, "pads", [1, 1, 1, 1])


def larger_pool(model: onnx.ModelProto) -> None:
    set_attribute(node_of(model, "MaxPool", 0), "kernel_shape", [3, 3])


def two_epsilons(model: onnx.ModelProto) -> None:
    set_attribute(node_of(model, "BatchNormalization", 3), "epsilon", 1e-3)


def outside(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")


def claims_more(model: onnx.ModelProto) -> None:
    tensor = next(one for one in model.graph.initializer if len(one.dims) == 4)
    tensor.raw_data = tensor.raw_data[:-4]


def not_finite(model: onnx.ModelProto) -> None:
    tensor = next(one for one in model.graph.initializer if len(one.dims) == 4)
    values = numpy_helper.to_array(tensor).copy()
    values[0, 0, 0, 0] = np.inf
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (nearest, "=resizing nearest, "),
        (aligned_corners, "=resizing linear, align_corners, allowed "),
        (leaky, "=LeakyRelu, allowed ReLU)"),
        (
            other_dilation,
            "dilation 1, allowed concatenation or convolution 3x3, dilation 2)",
        ),
        (larger_pool, "=max pooling "),
        (
            two_epsilons,
            "its batch norms differ in their epsilon, and a model has one (epsilon=",
        ),
        (outside, "outside this file"),
        (claims_more, "an initialiser whose numbers are not all in this file as floats"),
        (not_finite, "the weights contain NaN or infinity in 'stage1.rebnconvin.conv_s1.weight'"),
    ],
)
def test_what_would_be_read_wrongly_is_refused(
    kept: Path, tmp_path: Path, change: Callable[[onnx.ModelProto], None], text: str
) -> None:
    model, path = onnx.load(kept), tmp_path / "u2net.onnx"
    change(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError) as caught:
        read_foreign(path)
    assert text in one_line(caught.value, path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xff" * 100])
def test_damage_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "u2net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_foreign(path)
    assert one_line(caught.value, path)


def test_another_network_is_refused(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.zeros((4, 1, 3, 3), np.float32), "w")
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 1, 8, 8])
    out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph([node], "small", [value], [out], [weight])
    path = tmp_path / "small.onnx"
    onnx.save(onnx.helper.make_model(graph), path)
    with pytest.raises(ModelError) as caught:
        read_foreign(path)
    assert one_line(caught.value, path).startswith(
        "not the weights of a U²-Net (layers=1 convolutions (first 4x1x3x3), 0 batch norms, 0"
    )
