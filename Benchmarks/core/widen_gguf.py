#!/usr/bin/env python3
"""Writes a GGUF file again with all its matrices in bfloat16 or float32: the same model, as llama.cpp reads it.

usage: widen_gguf.py FROM BF16|F32 TO          (PyPI: gguf, numpy)
"""

import sys

import gguf
import numpy


def copy_fields(reader, writer):
    for field in reader.fields.values():
        # These the writer makes itself.
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        writer.add_key_value(
            field.name, field.contents(), kind, sub_type=field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)


def main():
    source, kind, target = sys.argv[1], gguf.GGMLQuantizationType[sys.argv[2]], sys.argv[3]
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    copy_fields(reader, writer)
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        # The reader's shape has the fastest dimension first.
        values = numpy.ascontiguousarray(values.reshape([int(size) for size in tensor.shape[::-1]]), numpy.float32)
        is_matrix = values.ndim == 2 and kind != gguf.GGMLQuantizationType.F32
        data = gguf.quants.quantize(values, kind) if is_matrix else values
        writer.add_tensor(tensor.name, data, raw_dtype=kind if is_matrix else None)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
