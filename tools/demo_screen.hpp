#pragma once

/// \file
/// What the demo shows: parts, lines, check marks. At most 80 columns; moves the cursor on a
/// terminal only.

#include <string>

#include <nlohmann/json.hpp>

#include "tools/style.hpp"

namespace paxtor::tools {

class demo_screen {
public:
  /// `visible` false: only the results are kept.
  explicit demo_screen(bool visible);

  void title(const std::string& text);
  /// A part with what happens and what to look for.
  void part(const std::string& letter, const std::string& title, const std::string& what,
            const std::string& look_for);
  void text(const std::string& line);
  /// Text of any length, in lines.
  void paragraph(const std::string& text);
  /// "label   value"
  void item(const std::string& label, const std::string& value);
  void gap();
  /// A check mark, or what failed.
  void check(bool good, const std::string& what);

  /// A line of digits, as they come.
  void begin_line(const std::string& label);
  void digit(char c);
  void end_line();

  /// A line that changes while one waits; nothing if it is not a terminal.
  void ticker(const std::string& label, const std::string& text);
  void end_ticker();

  /// A result for --json.
  void note(const std::string& key, nlohmann::json value);

  void conclude(double took_s);

  [[nodiscard]] int failed() const { return failed_; }
  [[nodiscard]] nlohmann::json result(double took_s) const;

  [[nodiscard]] std::string bold(const std::string& what) const { return style_.bold(what); }
  [[nodiscard]] std::string dim(const std::string& what) const { return style_.dim(what); }

private:
  void out(const std::string& text);

  bool visible_;
  bool moves_;
  style style_;
  int failed_ = 0;
  int passed_ = 0;
  bool ticking_ = false;
  nlohmann::json checks_ = nlohmann::json::array();
  nlohmann::json notes_ = nlohmann::json::object();
};

} // namespace paxtor::tools
