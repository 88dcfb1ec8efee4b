import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaModel

/// What of the machine's memory may be taken, by files as the kernel writes them.
@Suite struct AvailableMemoryTests {
  let space = TestSpace()

  private func bytes(_ files: [String: String]) throws -> Int? {
    for (name, text) in files { try space.write(name, text) }
    return AvailableMemory(root: space.path).bytes()
  }

  private let free = "MemTotal:       24000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n"

  @Test func thisMachineSays() throws {
    #expect(try #require(AvailableMemory().bytes()) > 1 << 20)
  }

  @Test func aBlockThatTheMachineHasNoRoomForIsRefused() throws {
    let free = try #require(AvailableMemory().bytes())
    let failure = #expect(throws: Failure.self) { try Bytes(free / 4 * 5) }
    #expect(failure?.code == "memory" && failure?.message.contains("needed at once") == true)
    #expect(try Bytes(1 << 21).count == 1 << 21)
  }

  @Test func whatIsTakenIsWhatIsNoFiles() throws {
    #expect(try #require(AvailableMemory().taken()) > 1 << 20)
    try space.write("proc/self/status", "VmRSS:\t    900 kB\nRssAnon:\t    700 kB\nRssFile:\t    200 kB\n")
    #expect(AvailableMemory(root: space.path).taken() == 700 << 10)
  }

  @Test func withoutGroupsItIsWhatIsFree() throws {
    #expect(try bytes([:]) == nil)
    #expect(try bytes(["proc/meminfo": free]) == 8_000_000 << 10)
  }

  @Test func theNarrowestGroupAroundCounts() throws {
    let groups = [
      "proc/meminfo": free, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "3000000\n",
      "sys/fs/cgroup/a/memory.current": "1000000\n", "sys/fs/cgroup/a/b/memory.max": "max\n",
      "sys/fs/cgroup/a/b/memory.current": "900000\n",
    ]
    #expect(try bytes(groups) == 2_000_000)
    #expect(try bytes(["sys/fs/cgroup/a/b/memory.max": "1000000\n"]) == 100_000)
    #expect(try bytes(["sys/fs/cgroup/a/b/memory.max": "800000\n"]) == 0)
  }

  @Test func filesInMemoryGiveWay() throws {
    let stat = "anon 500\nactive_file 300000\ninactive_file 200000\nfile 700000\n"
    let groups = [
      "proc/meminfo": free, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000000\n",
      "sys/fs/cgroup/memory.current": "900000\n", "sys/fs/cgroup/memory.stat": stat,
    ]
    #expect(try bytes(groups) == 600_000)
  }

  @Test func theFirstVersionOfGroupsCountsToo() throws {
    // As in a container: the group's own path is the host's, and the limit stands at the top.
    let groups = [
      "proc/meminfo": free, "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/docker/1\n0::/\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "2000000\n",
      "sys/fs/cgroup/memory/memory.usage_in_bytes": "1500000\n",
      "sys/fs/cgroup/memory/memory.stat": "active_file 9\ntotal_active_file 1000000\n",
    ]
    #expect(try bytes(groups) == 1_500_000)
  }
}
