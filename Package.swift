// swift-tools-version: 6.1
import PackageDescription

/// Kernels are compiled at -O3 even in debug builds: the tests train real models.
let kernelSettings: [CSetting] = [.unsafeFlags(["-O3", "-ffp-contract=off", "-fno-strict-aliasing"])]

let package = Package(
  name: "Lemma",
  products: [.executable(name: "lemma", targets: ["lemma"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    // Floor 0: C. A module map and a thin shim each; CKernels is the native core.
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CGit2", pkgConfig: "libgit2", providers: [.apt(["libgit2-dev"])]),
    .systemLibrary(name: "COnig", pkgConfig: "oniguruma", providers: [.apt(["libonig-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .target(name: "CLinux"),
    .target(name: "CKernels", cSettings: kernelSettings),

    // Floor 1: what every floor above speaks.
    .target(name: "LemmaBasics", dependencies: ["CLinux"]),

    // Floor 2: identity.
    .target(name: "LemmaHash", dependencies: ["CXXHash", "CCrypto", "CLinux", "LemmaBasics"]),

    // Floor 3: keeping, recording, declaring; and the domain's data and model.
    .target(name: "LemmaStore", dependencies: ["CSQLite", "CLinux", "LemmaBasics", "LemmaHash"]),
    .target(name: "LemmaLedger", dependencies: ["CGit2", "CLinux", "LemmaBasics"]),
    .target(name: "LemmaPipeline", dependencies: ["CYAML", "LemmaBasics"]),
    .target(name: "LemmaCorpus", dependencies: ["LemmaBasics", "LemmaHash"]),
    .target(name: "LemmaModel", dependencies: ["CKernels", "COnig", "LemmaBasics", "LemmaHash"]),

    // Floor 4: the engine knows no mathematics; the domain knows no engine.
    .target(
      name: "LemmaEngine",
      dependencies: ["CLinux", "LemmaBasics", "LemmaHash", "LemmaStore", "LemmaLedger", "LemmaPipeline"]),
    .target(name: "LemmaSynthesis", dependencies: ["LemmaBasics", "LemmaHash", "LemmaCorpus"]),
    .target(name: "LemmaEvaluation", dependencies: ["LemmaBasics", "LemmaCorpus"]),
    .target(name: "LemmaReport", dependencies: ["LemmaBasics"]),

    // Floor 5: the one place where the domain meets the engine, and the questions asked of both.
    .target(
      name: "LemmaStages",
      dependencies: [
        "LemmaBasics", "LemmaPipeline", "LemmaEngine", "LemmaCorpus", "LemmaModel",
        "LemmaSynthesis", "LemmaEvaluation", "LemmaReport",
      ]),
    .target(
      name: "LemmaProvenance",
      dependencies: [
        "LemmaBasics", "LemmaHash", "LemmaStore", "LemmaLedger", "LemmaPipeline", "LemmaEngine",
      ]),

    // Floor 6: the command line.
    .executableTarget(
      name: "lemma",
      dependencies: [
        "LemmaBasics", "LemmaPipeline", "LemmaEngine", "LemmaStages", "LemmaProvenance",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Not shipped: times the store for Benchmarks/engine/store.py.
    .executableTarget(
      name: "store-timer", dependencies: ["LemmaBasics", "LemmaHash", "LemmaStore"],
      path: "Benchmarks/engine/StoreTimer"),
    // Not shipped: times the native core for Benchmarks/core.
    .executableTarget(
      name: "core-timer", dependencies: ["CKernels", "LemmaBasics", "LemmaModel"], path: "Benchmarks/core/CoreTimer"),

    // Tests mirror Sources.
    .target(
      name: "LemmaTestSupport", dependencies: ["CLinux", "LemmaBasics"], path: "Tests/LemmaTestSupport"),
    .testTarget(name: "LemmaBasicsTests", dependencies: ["LemmaBasics", "LemmaTestSupport"]),
    .testTarget(name: "ArchitectureTests", dependencies: ["LemmaBasics", "LemmaTestSupport"]),
    .testTarget(name: "LemmaHashTests", dependencies: ["LemmaHash", "LemmaTestSupport"]),
    .testTarget(name: "LemmaStoreTests", dependencies: ["LemmaStore", "LemmaTestSupport"]),
    .testTarget(name: "LemmaLedgerTests", dependencies: ["LemmaLedger", "LemmaTestSupport"]),
    .testTarget(name: "LemmaEngineTests", dependencies: ["LemmaEngine", "LemmaTestSupport"]),
    .testTarget(name: "LemmaStagesTests", dependencies: ["LemmaStages", "LemmaTestSupport"]),
    .testTarget(name: "EndToEndTests", dependencies: ["lemma", "LemmaLedger", "LemmaTestSupport"]),
    .testTarget(
      name: "SecurityTests", dependencies: ["lemma", "LemmaHash", "LemmaStore", "LemmaReport", "LemmaTestSupport"]),
    .testTarget(name: "TrustTests", dependencies: ["lemma", "LemmaBasics", "LemmaTestSupport"]),
    .testTarget(name: "KernelTests", dependencies: ["CKernels", "LemmaTestSupport"]),
    .testTarget(name: "LemmaModelTests", dependencies: ["LemmaModel", "LemmaTestSupport"]),
    .testTarget(name: "LemmaPipelineTests", dependencies: ["LemmaPipeline", "LemmaTestSupport"]),
    .testTarget(name: "LemmaCorpusTests", dependencies: ["LemmaCorpus", "LemmaTestSupport"]),
    .testTarget(name: "LemmaSynthesisTests", dependencies: ["LemmaSynthesis", "LemmaTestSupport"]),
    .testTarget(name: "LemmaEvaluationTests", dependencies: ["LemmaEvaluation", "LemmaTestSupport"]),
    .testTarget(name: "LemmaReportTests", dependencies: ["LemmaReport", "LemmaTestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
