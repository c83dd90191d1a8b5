#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "libpaxtor/base/term.hpp"

using paxtor::term;

TEST_CASE("equal values have one canonical form") {
  term x;
  term y;
  std::string why;
  REQUIRE(term::parse(R"({"b": 1, "a": [1, 2.5, "x"]})", x, why));
  REQUIRE(term::parse(R"( {"a":[1,2.5,"x"],"b":1} )", y, why));
  CHECK(x == y);
  CHECK(x.text() == R"({"a":[1,2.5,"x"],"b":1})");
}

TEST_CASE("what an operator types is JSON if it can be, else a string") {
  term x;
  std::string why;
  REQUIRE(term::from_user("stock/42", x, why));
  CHECK(x.text() == "\"stock/42\"");
  REQUIRE(term::from_user("\"stock/42\"", x, why));
  CHECK(x.text() == "\"stock/42\"");
  REQUIRE(term::from_user("42", x, why));
  CHECK(x.text() == "42");
  CHECK_FALSE(term::from_user("", x, why));
  CHECK(why.find("key is empty") != std::string::npos);
  // A typo in JSON is no name.
  for (auto* text : {"{\"a\":", "[1, 2", "\"apple", "[\"invoice\", 7]]"}) {
    CHECK_FALSE(term::from_user(text, x, why));
    CHECK(why.find("not valid JSON: error at byte") != std::string::npos);
  }
  REQUIRE(term::from_user("a{b", x, why));
  CHECK(x.text() == "\"a{b\"");
}

TEST_CASE("bad terms are refused with a reason") {
  term x;
  std::string why;
  CHECK_FALSE(term::parse("{\"a\":", x, why));
  CHECK(why.find("not valid JSON") != std::string::npos);
  CHECK_FALSE(term::parse("apple", x, why));
  // Not 42: a zero byte does not end the text.
  CHECK_FALSE(term::parse(std::string_view{"42\0", 3}, x, why));
  CHECK(why.find("byte 3") != std::string::npos);
  CHECK_FALSE(term::from_user(std::string_view{"42\0\"", 4}, x, why));
  CHECK_FALSE(term::from_json(std::string(paxtor::max_term_bytes, 'x'), x, why));
  CHECK(why.find("4096") != std::string::npos);
  CHECK(term::from_json(std::string(paxtor::max_term_bytes - 2, 'x'), x, why));
  CHECK_FALSE(term::from_json(std::numeric_limits<double>::infinity(), x, why));
  CHECK_FALSE(term::from_json(std::string("\xff\xfe"), x, why));
  CHECK(why.find("UTF-8") != std::string::npos);
  std::string deep(paxtor::max_term_depth + 1, '[');
  deep += std::string(paxtor::max_term_depth + 1, ']');
  CHECK_FALSE(term::parse(deep, x, why));
  CHECK(why.find("flatter") != std::string::npos);
  CHECK_FALSE(term::parse(std::string(1 << 20, '['), x, why));
}
