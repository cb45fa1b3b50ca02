// One loop, integer arithmetic.
(() => {
  let x = 0
  for (let i = 0; i < 2e6; i++) x = (x + i * 7) % 1000003
  return x
})()
