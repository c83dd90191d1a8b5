// The main of a target that is built without libFuzzer: runs kept inputs through it, and turns a
// folder of inputs into lines of text and back.

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "libpaxtor/base/digest.hpp"
#include "test/fuzz/fuzz.hpp"

namespace {

namespace fs = std::filesystem;

constexpr const char* help = R"(Runs inputs through a fuzzer's target, without libFuzzer.
  FILE...              run these: *.hex has one input per line, any other file is one input
  --unpack FILE.hex DIR  write each line's input as a file into DIR
  --pack DIR             print the inputs of DIR as lines, the shortest first
Exit status: 0 all ran, and the target took some of them; 1 it took none; 64 wrong usage.
A finding ends the process by a signal, after the input that did it was named.
)";

std::string read(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) {
    std::cerr << file.string() << ": cannot be read\n";
    std::exit(64);
  }
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string from_hex(std::string_view text, const std::string& where) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto pair = text.substr(i, 2);
    unsigned value = 0;
    const auto [end, error] = std::from_chars(pair.data(), pair.data() + pair.size(), value, 16);
    if (error != std::errc{} || end != pair.data() + 2) {
      std::cerr << where << ": is no line of hexadecimal digits\n";
      std::exit(64);
    }
    result.push_back(static_cast<char>(value));
  }
  return result;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string result;
  for (const auto byte : bytes) {
    result.push_back(digits[static_cast<unsigned char>(byte) >> 4]);
    result.push_back(digits[static_cast<unsigned char>(byte) & 15]);
  }
  return result;
}

struct input {
  std::string name;
  std::string bytes;
};

/// Lines of digits; `#` begins a comment.
std::vector<input> inputs_of(const std::string& file) {
  if (!file.ends_with(".hex"))
    return {{file, read(file)}};
  std::vector<input> result;
  std::ifstream in{file};
  if (!in)
    (void)read(file);
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    const auto name = file + ":" + std::to_string(number);
    if (!line.empty() && line[0] != '#')
      result.push_back({name, from_hex(line, name)});
  }
  return result;
}

int unpack(const std::string& file, const fs::path& directory) {
  fs::create_directories(directory);
  for (const auto& one : inputs_of(file)) {
    const auto name = to_hex(paxtor::sha256(one.bytes)).substr(0, 16);
    std::ofstream{directory / name, std::ios::binary} << one.bytes;
  }
  return 0;
}

int pack(const fs::path& directory) {
  std::vector<std::string> all;
  for (const auto& one : fs::directory_iterator{directory})
    all.push_back(read(one.path()));
  std::sort(all.begin(), all.end(), [](const auto& x, const auto& y) {
    return x.size() != y.size() ? x.size() < y.size() : x < y;
  });
  for (const auto& one : all)
    if (!one.empty())
      std::cout << to_hex(one) << '\n';
  return 0;
}

int run(const std::vector<std::string>& files) {
  std::size_t count = 0;
  for (const auto& file : files) {
    for (const auto& one : inputs_of(file)) {
      // Named before it runs: what it finds may end the process.
      std::cerr << one.name << "\r" << std::flush;
      (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(one.bytes.data()),
                                   one.bytes.size());
      ++count;
    }
  }
  std::cout << count << " inputs, " << paxtor::fuzz::taken << " times past the first check\n";
  return paxtor::fuzz::taken > 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words{argv + 1, argv + argc};
  if (words.size() == 3 && words[0] == "--unpack")
    return unpack(words[1], words[2]);
  if (words.size() == 2 && words[0] == "--pack")
    return pack(words[1]);
  if (words.empty() || words[0].starts_with("-")) {
    const bool asked = !words.empty() && words[0] == "--help";
    (asked ? std::cout : std::cerr) << help;
    return asked ? 0 : 64;
  }
  return run(words);
}
