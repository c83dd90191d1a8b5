#pragma once

/// \file
/// Paxtor: cluster-wide locks and cluster-wide singleton actors for CAF. This is all that a user
/// includes.

#include <paxtor/cluster.hpp>
#include <paxtor/config.hpp>
#include <paxtor/error.hpp>
#include <paxtor/grant.hpp>
#include <paxtor/key.hpp>
#include <paxtor/options.hpp>
