#pragma once

/// \file
/// Transcripts: commands, a line `----`, and what they print. README.md has the commands.

#include <string>
#include <vector>

namespace paxtor::transcripts {

/// One block of a file. Lines that are no block are kept as they are.
struct block {
  std::vector<std::string> before; ///< comments and empty lines
  std::vector<std::string> commands;
  std::vector<std::string> expected;
  std::size_t line = 0; ///< of the first command, from 1
};

struct transcript {
  std::vector<block> blocks;
  std::vector<std::string> rest;
};

/// ERRORS: std::invalid_argument, with the line, if a block has no `----`.
[[nodiscard]] transcript parse(const std::string& text);

[[nodiscard]] std::string text_of(const transcript& what);

/// What each block prints now, in order. A command that cannot be understood prints an error: it is
/// for the reader to see that it is not meant.
[[nodiscard]] std::vector<std::vector<std::string>> play(const transcript& what);

} // namespace paxtor::transcripts
