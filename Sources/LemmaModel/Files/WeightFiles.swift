import LemmaBasics

/// Finds the reader for weights of whatever format.
public enum WeightFiles {
  /// Opens a folder with safetensors, a GGUF file, or a safetensors file: the file's first bytes say which.
  /// - Throws: `Failure` when there is nothing, or it is damaged.
  public static func open(_ path: String) throws -> any WeightSource {
    if Files.isFolder(path) { return try TensorFolder(path) }
    let file = try MappedFile(path)
    return file.bytes.starts(with: "GGUF".utf8) ? try GGUF(file) : try SafetensorsFile(file)
  }
}
