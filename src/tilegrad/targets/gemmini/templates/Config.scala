// Written by tilegrad. The design has $pe_dim x $pe_dim PEs, $scratchpad_kb KB of scratchpad and $accumulator_kb KB of
// accumulator per tile; Gemmini keeps two tiles at a time, in memories that its generator can build.
package gemmini

import chisel3._

object TilegradConfigs {
  val design = GemminiConfigs.defaultConfig.copy(
    tileRows = 1,
    tileColumns = 1,
    meshRows = $dim,
    meshColumns = $dim,
    spatialArrayOutputType = SInt($partial_sum_bits.W),
    dataflow = Dataflow.WS,
    dma_buswidth = $bus_bits,

    sp_capacity = CapacityInKilobytes($built_scratchpad_kb),
    acc_capacity = CapacityInKilobytes($built_accumulator_kb),
    sp_banks = $scratchpad_banks,
    acc_banks = $accumulator_banks
  )
}
