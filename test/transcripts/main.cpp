/// `paxtor-transcripts`: plays the transcripts of this folder and compares what they print.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "test/transcripts/script.hpp"

namespace {

using namespace paxtor::transcripts;

constexpr int exit_different = 1;
constexpr int exit_usage = 64;

std::string read_all(const std::filesystem::path& file) {
  std::ifstream in{file};
  if (!in)
    throw std::invalid_argument("cannot be read");
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// As diff does it: what is missing with -, what is new with +, from the first difference on.
void print_difference(const std::vector<std::string>& expected,
                      const std::vector<std::string>& found) {
  const auto [was, is] =
    std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
  for (auto line = expected.begin(); line != was; ++line)
    std::cout << "    " << *line << '\n';
  for (auto line = was; line != expected.end(); ++line)
    std::cout << "  - " << *line << '\n';
  for (auto line = is; line != found.end(); ++line)
    std::cout << "  + " << *line << '\n';
}

/// True if the file says what happens.
bool check(const std::filesystem::path& file, bool rewrite) {
  auto all = parse(read_all(file));
  if (all.blocks.empty())
    throw std::invalid_argument("has no block: commands, a line `----`, and what they print");
  const auto printed = play(all);
  bool same = true;
  for (std::size_t i = 0; i < printed.size(); ++i) {
    if (printed[i] == all.blocks[i].expected)
      continue;
    same = false;
    if (!rewrite) {
      std::cout << file.string() << ":" << all.blocks[i].line << ": " << all.blocks[i].commands[0]
                << '\n';
      print_difference(all.blocks[i].expected, printed[i]);
    }
    all.blocks[i].expected = printed[i];
  }
  if (same || !rewrite)
    return same;
  std::ofstream out{file};
  out << text_of(all);
  if (!out.flush())
    throw std::invalid_argument("cannot be written");
  std::cout << file.string() << ": rewritten; read the difference before you keep it\n";
  return true;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Plays transcripts: what a cluster does, told in text files, command by command."};
  std::vector<std::string> files;
  bool rewrite = false;
  app.add_option("FILE", files, "transcripts; README.md of their folder has the commands")
    ->required();
  app.add_flag("--rewrite", rewrite, "write what happens now into the files");
  app.footer("Exit status: 0 all as told, 1 something is different, 64 wrong usage or file.\n\n"
             "Example:\n  paxtor-transcripts test/transcripts/*.txt");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? EXIT_SUCCESS : exit_usage;
  }
  int status = EXIT_SUCCESS;
  for (const auto& file : files) {
    try {
      if (!check(file, rewrite))
        status = std::max(status, exit_different);
    } catch (const std::exception& problem) {
      std::cerr << file << ": " << problem.what() << '\n';
      status = exit_usage;
    }
  }
  if (status == exit_different)
    std::cout << "If this is what should happen now: paxtor-transcripts --rewrite FILE...\n";
  return status;
}
