#include "tools/demo_screen.hpp"

#include <cstdio>
#include <iostream>

#include <unistd.h>

#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

constexpr std::size_t width = 78;
constexpr std::size_t indent = 4;
constexpr std::size_t label_width = 18;

} // namespace

demo_screen::demo_screen(bool visible)
    : visible_(visible), moves_(visible && isatty(STDOUT_FILENO) != 0), style_(STDOUT_FILENO) {}

void demo_screen::out(const std::string& text) {
  if (visible_)
    std::cout << text << std::flush;
}

void demo_screen::title(const std::string& text) {
  out("\n" + style_.bold(text) + "\n\n");
}

void demo_screen::paragraph(const std::string& text) {
  std::string line;
  for (const auto& word : split(text, ' ')) {
    if (!line.empty() && columns(line) + 1 + columns(word) > width - indent) {
      this->text(line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  this->text(line);
}

void demo_screen::part(const std::string& letter, const std::string& title, const std::string& what,
                       const std::string& look_for) {
  out("\n" + style_.bold("(" + letter + ") " + title) + "\n");
  paragraph(what);
  text(style_.yellow("Look for: " + look_for));
  gap();
}

void demo_screen::text(const std::string& line) {
  out(std::string(indent, ' ') + line + "\n");
}

void demo_screen::item(const std::string& label, const std::string& value) {
  text(pad(label, label_width) + " " + value);
}

void demo_screen::gap() {
  out("\n");
}

void demo_screen::check(bool good, const std::string& what) {
  ++(good ? passed_ : failed_);
  checks_.push_back({{"ok", good}, {"what", what}});
  text((good ? style_.green("\u2713 ") : style_.red("\u2717 NOT TRUE: ")) + what);
}

void demo_screen::begin_line(const std::string& label) {
  out(std::string(indent, ' ') + pad(label, label_width) + " ");
}

void demo_screen::digit(char c) {
  out(style_.hue(c - '0', std::string(1, c)));
}

void demo_screen::end_line() {
  out("\n");
}

void demo_screen::ticker(const std::string& label, const std::string& text) {
  if (!moves_)
    return;
  ticking_ = true;
  out("\r" + std::string(indent, ' ') + pad(label, label_width) + " " + style_.dim(text)
      + "\033[K");
}

void demo_screen::end_ticker() {
  if (ticking_)
    out("\r\033[K");
  ticking_ = false;
}

void demo_screen::note(const std::string& key, nlohmann::json value) {
  notes_[key] = std::move(value);
}

void demo_screen::conclude(double took_s) {
  char took[32];
  std::snprintf(took, sizeof took, "%.1f s", took_s);
  const auto count = std::to_string(passed_ + failed_);
  out("\n");
  if (failed_ == 0)
    out(style_.green("All " + count + " checks hold") + " (" + took
        + "). All processes are stopped.\n\n");
  else
    out(style_.red(std::to_string(failed_) + " of " + count + " checks do not hold") + " (" + took
        + ").\n\n");
}

nlohmann::json demo_screen::result(double took_s) const {
  return {{"ok", failed_ == 0}, {"took_s", took_s}, {"checks", checks_}, {"results", notes_}};
}

} // namespace paxtor::tools
